export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  "public": {
    Tables: {
      "children": {
        Row: {
          "avatar_url": string | null;
          "created_at": string;
          "id": string;
          "name": string;
          "user_id": string;
        };
        ComputedFields: never;
        Insert: {
          "avatar_url"?: string | null;
          "created_at"?: string;
          "id"?: string;
          "name": string;
          "user_id": string;
        };
        Update: {
          "avatar_url"?: string | null;
          "created_at"?: string;
          "id"?: string;
          "name"?: string;
          "user_id"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "children_user_id_fkey";
            columns: ["user_id"];
            isOneToOne: false;
            referencedRelation: "users";
            referencedColumns: ["id"];
          },
        ];
      };
      "gem_entries": {
        Row: {
          "amount": number;
          "balance_after": number;
          "created_at": string;
          "id": number;
          "idempotency_key": string | null;
          "kind": string;
          "reason": string;
          "user_id": string | null;
          "video_id": string | null;
        };
        ComputedFields: never;
        Insert: {
          "amount": number;
          "balance_after": number;
          "created_at"?: string;
          "id"?: never;
          "idempotency_key"?: string | null;
          "kind": string;
          "reason": string;
          "user_id"?: string | null;
          "video_id"?: string | null;
        };
        Update: {
          "amount"?: number;
          "balance_after"?: number;
          "created_at"?: string;
          "id"?: never;
          "idempotency_key"?: string | null;
          "kind"?: string;
          "reason"?: string;
          "user_id"?: string | null;
          "video_id"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "gem_entries_user_id_fkey";
            columns: ["user_id"];
            isOneToOne: false;
            referencedRelation: "users";
            referencedColumns: ["id"];
          },
        ];
      };
      "notifications": {
        Row: {
          "attempts": number;
          "body": string;
          "channel": string;
          "created_at": string;
          "data": NonNullable<Json>;
          "id": number;
          "kind": string;
          "sent_at": string | null;
          "status": string;
          "title": string;
          "user_id": string;
          "video_id": string;
        };
        ComputedFields: never;
        Insert: {
          "attempts"?: number;
          "body": string;
          "channel"?: string;
          "created_at"?: string;
          "data": NonNullable<Json>;
          "id"?: never;
          "kind": string;
          "sent_at"?: string | null;
          "status"?: string;
          "title": string;
          "user_id": string;
          "video_id": string;
        };
        Update: {
          "attempts"?: number;
          "body"?: string;
          "channel"?: string;
          "created_at"?: string;
          "data"?: NonNullable<Json>;
          "id"?: never;
          "kind"?: string;
          "sent_at"?: string | null;
          "status"?: string;
          "title"?: string;
          "user_id"?: string;
          "video_id"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "notifications_user_id_fkey";
            columns: ["user_id"];
            isOneToOne: false;
            referencedRelation: "users";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "notifications_video_id_fkey";
            columns: ["video_id"];
            isOneToOne: false;
            referencedRelation: "videos";
            referencedColumns: ["id"];
          },
        ];
      };
      "provider_events": {
        Row: {
          "hash": string;
          "id": number;
          "payload": NonNullable<Json>;
          "provider": string;
          "received_at": string;
          "video_job_id": string;
        };
        ComputedFields: never;
        Insert: {
          "hash": string;
          "id"?: never;
          "payload": NonNullable<Json>;
          "provider": string;
          "received_at"?: string;
          "video_job_id": string;
        };
        Update: {
          "hash"?: string;
          "id"?: never;
          "payload"?: NonNullable<Json>;
          "provider"?: string;
          "received_at"?: string;
          "video_job_id"?: string;
        };
        Relationships: [];
      };
      "rhymes": {
        Row: {
          "created_at": string;
          "duration_seconds": number;
          "fallbacks": NonNullable<Json>;
          "gem_cost": number;
          "height": number;
          "id": string;
          "is_active": boolean;
          "is_premium": boolean;
          "model": string;
          "negative_prompt": string | null;
          "prompt_template": string;
          "provider": string;
          "slug": string;
          "style": string | null;
          "title": string;
          "video_template_url": string | null;
          "width": number;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "duration_seconds"?: number;
          "fallbacks"?: NonNullable<Json>;
          "gem_cost": number;
          "height"?: number;
          "id"?: string;
          "is_active"?: boolean;
          "is_premium"?: boolean;
          "model"?: string;
          "negative_prompt"?: string | null;
          "prompt_template": string;
          "provider"?: string;
          "slug": string;
          "style"?: string | null;
          "title": string;
          "video_template_url"?: string | null;
          "width"?: number;
        };
        Update: {
          "created_at"?: string;
          "duration_seconds"?: number;
          "fallbacks"?: NonNullable<Json>;
          "gem_cost"?: number;
          "height"?: number;
          "id"?: string;
          "is_active"?: boolean;
          "is_premium"?: boolean;
          "model"?: string;
          "negative_prompt"?: string | null;
          "prompt_template"?: string;
          "provider"?: string;
          "slug"?: string;
          "style"?: string | null;
          "title"?: string;
          "video_template_url"?: string | null;
          "width"?: number;
        };
        Relationships: [];
      };
      "unknown_outcomes": {
        Row: {
          "happened_at": string;
          "model": string;
          "provider": string;
          "provider_error": Json | null;
          "resolution": string | null;
          "resolved_at": string | null;
          "video_id": string;
          "video_job_id": string;
        };
        ComputedFields: never;
        Insert: {
          "happened_at"?: string;
          "model": string;
          "provider": string;
          "provider_error"?: Json | null;
          "resolution"?: string | null;
          "resolved_at"?: string | null;
          "video_id": string;
          "video_job_id": string;
        };
        Update: {
          "happened_at"?: string;
          "model"?: string;
          "provider"?: string;
          "provider_error"?: Json | null;
          "resolution"?: string | null;
          "resolved_at"?: string | null;
          "video_id"?: string;
          "video_job_id"?: string;
        };
        Relationships: [];
      };
      "users": {
        Row: {
          "created_at": string;
          "fair_tag": number;
          "gem_balance": number;
          "id": string;
          "tier": string;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "fair_tag"?: number;
          "gem_balance"?: number;
          "id": string;
          "tier"?: string;
        };
        Update: {
          "created_at"?: string;
          "fair_tag"?: number;
          "gem_balance"?: number;
          "id"?: string;
          "tier"?: string;
        };
        Relationships: [];
      };
      "video_jobs": {
        Row: {
          "attempt": number;
          "claim_count": number;
          "cost_usd": number | null;
          "created_at": string;
          "deadline_at": string | null;
          "error_code": string | null;
          "error_kind": string | null;
          "finished_at": string | null;
          "id": string;
          "lease_until": string | null;
          "maybe_bought": boolean;
          "model": string;
          "next_poll_at": string | null;
          "poll_count": number;
          "priority": number;
          "processing_node": string | null;
          "processing_started_at": string | null;
          "provider": string;
          "provider_error": Json | null;
          "provider_task_id": string | null;
          "result_url": string | null;
          "scheduled_at": string;
          "status": string;
          "submitted_at": string | null;
          "video_id": string;
        };
        ComputedFields: never;
        Insert: {
          "attempt": number;
          "claim_count"?: number;
          "cost_usd"?: number | null;
          "created_at"?: string;
          "deadline_at"?: string | null;
          "error_code"?: string | null;
          "error_kind"?: string | null;
          "finished_at"?: string | null;
          "id"?: string;
          "lease_until"?: string | null;
          "maybe_bought"?: boolean;
          "model": string;
          "next_poll_at"?: string | null;
          "poll_count"?: number;
          "priority"?: number;
          "processing_node"?: string | null;
          "processing_started_at"?: string | null;
          "provider": string;
          "provider_error"?: Json | null;
          "provider_task_id"?: string | null;
          "result_url"?: string | null;
          "scheduled_at"?: string;
          "status"?: string;
          "submitted_at"?: string | null;
          "video_id": string;
        };
        Update: {
          "attempt"?: number;
          "claim_count"?: number;
          "cost_usd"?: number | null;
          "created_at"?: string;
          "deadline_at"?: string | null;
          "error_code"?: string | null;
          "error_kind"?: string | null;
          "finished_at"?: string | null;
          "id"?: string;
          "lease_until"?: string | null;
          "maybe_bought"?: boolean;
          "model"?: string;
          "next_poll_at"?: string | null;
          "poll_count"?: number;
          "priority"?: number;
          "processing_node"?: string | null;
          "processing_started_at"?: string | null;
          "provider"?: string;
          "provider_error"?: Json | null;
          "provider_task_id"?: string | null;
          "result_url"?: string | null;
          "scheduled_at"?: string;
          "status"?: string;
          "submitted_at"?: string | null;
          "video_id"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "video_jobs_video_id_fkey";
            columns: ["video_id"];
            isOneToOne: false;
            referencedRelation: "videos";
            referencedColumns: ["id"];
          },
        ];
      };
      "video_progress": {
        Row: {
          "attempt": number;
          "created_at": string;
          "eta_seconds": number | null;
          "id": number;
          "message": string;
          "percentage": number;
          "stage": string;
          "user_id": string;
          "video_id": string;
        };
        ComputedFields: never;
        Insert: {
          "attempt": number;
          "created_at"?: string;
          "eta_seconds"?: number | null;
          "id"?: never;
          "message": string;
          "percentage": number;
          "stage": string;
          "user_id": string;
          "video_id": string;
        };
        Update: {
          "attempt"?: number;
          "created_at"?: string;
          "eta_seconds"?: number | null;
          "id"?: never;
          "message"?: string;
          "percentage"?: number;
          "stage"?: string;
          "user_id"?: string;
          "video_id"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "video_progress_user_id_fkey";
            columns: ["user_id"];
            isOneToOne: false;
            referencedRelation: "users";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "video_progress_video_id_fkey";
            columns: ["video_id"];
            isOneToOne: false;
            referencedRelation: "videos";
            referencedColumns: ["id"];
          },
        ];
      };
      "videos": {
        Row: {
          "avatar_url": string | null;
          "child_id": string | null;
          "completed_at": string | null;
          "created_at": string;
          "duration_seconds": number | null;
          "error_code": string | null;
          "error_message": string | null;
          "estimated_completion_at": string;
          "fallbacks": NonNullable<Json>;
          "gem_cost": number;
          "id": string;
          "idempotency_key": string | null;
          "input_hash": string;
          "is_favorite": boolean;
          "is_premium": boolean;
          "kind": string;
          "max_retries": number;
          "model": string;
          "model_reason": string | null;
          "negative_prompt": string | null;
          "options": NonNullable<Json>;
          "progress": number;
          "prompt": string | null;
          "provider": string;
          "retry_count": number;
          "rev": number;
          "rhyme_id": string | null;
          "stage": string;
          "started_at": string | null;
          "status": string;
          "storage_path": string | null;
          "thumbnail_path": string | null;
          "title": string;
          "updated_at": string;
          "user_id": string;
        };
        ComputedFields: never;
        Insert: {
          "avatar_url"?: string | null;
          "child_id"?: string | null;
          "completed_at"?: string | null;
          "created_at"?: string;
          "duration_seconds"?: number | null;
          "error_code"?: string | null;
          "error_message"?: string | null;
          "estimated_completion_at": string;
          "fallbacks"?: NonNullable<Json>;
          "gem_cost": number;
          "id"?: string;
          "idempotency_key"?: string | null;
          "input_hash": string;
          "is_favorite"?: boolean;
          "is_premium"?: boolean;
          "kind"?: string;
          "max_retries": number;
          "model": string;
          "model_reason"?: string | null;
          "negative_prompt"?: string | null;
          "options"?: NonNullable<Json>;
          "progress"?: number;
          "prompt"?: string | null;
          "provider": string;
          "retry_count"?: number;
          "rev"?: number;
          "rhyme_id"?: string | null;
          "stage"?: string;
          "started_at"?: string | null;
          "status"?: string;
          "storage_path"?: string | null;
          "thumbnail_path"?: string | null;
          "title": string;
          "updated_at"?: string;
          "user_id": string;
        };
        Update: {
          "avatar_url"?: string | null;
          "child_id"?: string | null;
          "completed_at"?: string | null;
          "created_at"?: string;
          "duration_seconds"?: number | null;
          "error_code"?: string | null;
          "error_message"?: string | null;
          "estimated_completion_at"?: string;
          "fallbacks"?: NonNullable<Json>;
          "gem_cost"?: number;
          "id"?: string;
          "idempotency_key"?: string | null;
          "input_hash"?: string;
          "is_favorite"?: boolean;
          "is_premium"?: boolean;
          "kind"?: string;
          "max_retries"?: number;
          "model"?: string;
          "model_reason"?: string | null;
          "negative_prompt"?: string | null;
          "options"?: NonNullable<Json>;
          "progress"?: number;
          "prompt"?: string | null;
          "provider"?: string;
          "retry_count"?: number;
          "rev"?: number;
          "rhyme_id"?: string | null;
          "stage"?: string;
          "started_at"?: string | null;
          "status"?: string;
          "storage_path"?: string | null;
          "thumbnail_path"?: string | null;
          "title"?: string;
          "updated_at"?: string;
          "user_id"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "videos_child_id_fkey";
            columns: ["child_id"];
            isOneToOne: false;
            referencedRelation: "children";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "videos_rhyme_id_fkey";
            columns: ["rhyme_id"];
            isOneToOne: false;
            referencedRelation: "rhymes";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "videos_user_id_fkey";
            columns: ["user_id"];
            isOneToOne: false;
            referencedRelation: "users";
            referencedColumns: ["id"];
          },
        ];
      };
    };
    Views: {
      [_ in never]: never;
    };
    Functions: {
      "cancel_video": { Args: { "p_user_id": string; "p_video_id": string }; Returns: Json };
      "grant_gems": {
        Args: {
          "p_amount": number;
          "p_idempotency_key": string;
          "p_kind": string;
          "p_reason": string;
          "p_user_id": string;
        };
        Returns: Json;
      };
      "health_report": { Args: Record<PropertyKey, never>; Returns: Json };
      "price_list": { Args: Record<PropertyKey, never>; Returns: Json };
      "queue_video": {
        Args: {
          "p_expected_seconds": number;
          "p_idempotency_key"?: string;
          "p_input_hash": string;
          "p_request": Json;
          "p_user_id": string;
        };
        Returns: Json;
      };
      "quote_video": { Args: { "p_request": Json; "p_user_id": string }; Returns: Json };
      "record_provider_event": {
        Args: {
          "p_hash": string;
          "p_payload": Json;
          "p_provider": string;
          "p_video_job_id": string;
        };
        Returns: Json;
      };
      "video_status": { Args: { "p_user_id": string; "p_video_ids": (string)[] }; Returns: Json };
    };
    Enums: {
      [_ in never]: never;
    };
    CompositeTypes: {
      [_ in never]: never;
    };
  };
};

type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">;

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">];

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof (
      & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
      & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"]
    )
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals } ? (
    & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"]
  )[TableName] extends {
    Row: infer R;
  } ? R
  : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    ? (DefaultSchema["Tables"] & DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
      Row: infer R;
    } ? R
    : never
  : never;

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends
    {
      Insert: infer I;
    } ? I
  : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Insert: infer I;
    } ? I
    : never
  : never;

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends
    {
      Update: infer U;
    } ? U
  : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Update: infer U;
    } ? U
    : never
  : never;

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never = never,
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
    ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
  : never;

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never = never,
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][
    CompositeTypeName
  ]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
    ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
  : never;

export const Constants = {
  "public": {
    Enums: {},
  },
} as const;
