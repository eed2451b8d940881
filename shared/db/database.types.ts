export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  "public": {
    Tables: {
      "children": {
        Row: {
          "avatar_path": string | null;
          "created_at": string;
          "id": string;
          "name": string;
          "user_id": string;
        };
        ComputedFields: never;
        Insert: {
          "avatar_path"?: string | null;
          "created_at"?: string;
          "id"?: string;
          "name": string;
          "user_id": string;
        };
        Update: {
          "avatar_path"?: string | null;
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
      "consent_texts": {
        Row: {
          "body": string;
          "id": string;
          "is_current": boolean;
          "published_at": string;
        };
        ComputedFields: never;
        Insert: {
          "body": string;
          "id": string;
          "is_current"?: boolean;
          "published_at"?: string;
        };
        Update: {
          "body"?: string;
          "id"?: string;
          "is_current"?: boolean;
          "published_at"?: string;
        };
        Relationships: [];
      };
      "consents": {
        Row: {
          "child_id": string;
          "given_at": string;
          "id": string;
          "text_id": string;
          "text_sha256": string;
          "user_id": string;
          "withdrawn_at": string | null;
        };
        ComputedFields: never;
        Insert: {
          "child_id": string;
          "given_at"?: string;
          "id"?: string;
          "text_id": string;
          "text_sha256": string;
          "user_id": string;
          "withdrawn_at"?: string | null;
        };
        Update: {
          "child_id"?: string;
          "given_at"?: string;
          "id"?: string;
          "text_id"?: string;
          "text_sha256"?: string;
          "user_id"?: string;
          "withdrawn_at"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "consents_child_id_fkey";
            columns: ["child_id"];
            isOneToOne: false;
            referencedRelation: "children";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "consents_text_id_fkey";
            columns: ["text_id"];
            isOneToOne: false;
            referencedRelation: "consent_texts";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "consents_user_id_fkey";
            columns: ["user_id"];
            isOneToOne: false;
            referencedRelation: "users";
            referencedColumns: ["id"];
          },
        ];
      };
      "deleted_videos": {
        Row: {
          "deleted_in": unknown;
          "user_id": string;
          "video_id": string;
        };
        ComputedFields: never;
        Insert: {
          "deleted_in"?: unknown;
          "user_id": string;
          "video_id": string;
        };
        Update: {
          "deleted_in"?: unknown;
          "user_id"?: string;
          "video_id"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "deleted_videos_user_id_fkey";
            columns: ["user_id"];
            isOneToOne: false;
            referencedRelation: "users";
            referencedColumns: ["id"];
          },
        ];
      };
      "devices": {
        Row: {
          "address": string;
          "auth": string | null;
          "created_at": string;
          "id": string;
          "kind": string;
          "last_seen_at": string;
          "p256dh": string | null;
          "platform": string;
          "user_id": string;
        };
        ComputedFields: never;
        Insert: {
          "address": string;
          "auth"?: string | null;
          "created_at"?: string;
          "id"?: string;
          "kind": string;
          "last_seen_at"?: string;
          "p256dh"?: string | null;
          "platform": string;
          "user_id": string;
        };
        Update: {
          "address"?: string;
          "auth"?: string | null;
          "created_at"?: string;
          "id"?: string;
          "kind"?: string;
          "last_seen_at"?: string;
          "p256dh"?: string | null;
          "platform"?: string;
          "user_id"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "devices_user_id_fkey";
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
      "notification_deliveries": {
        Row: {
          "attempts": number;
          "channel": string;
          "created_at": string;
          "device_id": string | null;
          "error_code": string | null;
          "finished_at": string | null;
          "id": string;
          "notification_id": number;
          "status": string;
        };
        ComputedFields: never;
        Insert: {
          "attempts"?: number;
          "channel": string;
          "created_at"?: string;
          "device_id"?: string | null;
          "error_code"?: string | null;
          "finished_at"?: string | null;
          "id"?: string;
          "notification_id": number;
          "status"?: string;
        };
        Update: {
          "attempts"?: number;
          "channel"?: string;
          "created_at"?: string;
          "device_id"?: string | null;
          "error_code"?: string | null;
          "finished_at"?: string | null;
          "id"?: string;
          "notification_id"?: number;
          "status"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "notification_deliveries_notification_id_fkey";
            columns: ["notification_id"];
            isOneToOne: false;
            referencedRelation: "notifications";
            referencedColumns: ["id"];
          },
        ];
      };
      "notifications": {
        Row: {
          "body": string;
          "created_at": string;
          "data": NonNullable<Json>;
          "id": number;
          "kind": string;
          "title": string;
          "user_id": string;
          "video_id": string;
        };
        ComputedFields: never;
        Insert: {
          "body": string;
          "created_at"?: string;
          "data": NonNullable<Json>;
          "id"?: never;
          "kind": string;
          "title": string;
          "user_id": string;
          "video_id": string;
        };
        Update: {
          "body"?: string;
          "created_at"?: string;
          "data"?: NonNullable<Json>;
          "id"?: never;
          "kind"?: string;
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
      "projects": {
        Row: {
          "clips": NonNullable<Json>;
          "created_at": string;
          "frames": NonNullable<Json>;
          "id": string;
          "title": string;
          "updated_at": string;
          "user_id": string;
        };
        ComputedFields: never;
        Insert: {
          "clips"?: NonNullable<Json>;
          "created_at"?: string;
          "frames"?: NonNullable<Json>;
          "id"?: string;
          "title"?: string;
          "updated_at"?: string;
          "user_id": string;
        };
        Update: {
          "clips"?: NonNullable<Json>;
          "created_at"?: string;
          "frames"?: NonNullable<Json>;
          "id"?: string;
          "title"?: string;
          "updated_at"?: string;
          "user_id"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "projects_user_id_fkey";
            columns: ["user_id"];
            isOneToOne: false;
            referencedRelation: "users";
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
          "provider_state": string | null;
          "provider_task_id": string | null;
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
          "provider_state"?: string | null;
          "provider_task_id"?: string | null;
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
          "provider_state"?: string | null;
          "provider_task_id"?: string | null;
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
          "fair_provider": string | null;
          "fair_tag": number;
          "gem_balance": number;
          "id": string;
          "tier": string;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "fair_provider"?: string | null;
          "fair_tag"?: number;
          "gem_balance"?: number;
          "id": string;
          "tier"?: string;
        };
        Update: {
          "created_at"?: string;
          "fair_provider"?: string | null;
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
          "in_flight": boolean;
          "lease_until": string | null;
          "maybe_bought": boolean;
          "missing_since": string | null;
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
          "in_flight"?: never;
          "lease_until"?: string | null;
          "maybe_bought"?: boolean;
          "missing_since"?: string | null;
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
          "in_flight"?: never;
          "lease_until"?: string | null;
          "maybe_bought"?: boolean;
          "missing_since"?: string | null;
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
          "avatar_path": string | null;
          "changed_in": unknown;
          "child_id": string | null;
          "completed_at": string | null;
          "created_at": string;
          "duration_seconds": number | null;
          "error_code": string | null;
          "error_message": string | null;
          "estimated_completion_at": string;
          "fallbacks": NonNullable<Json>;
          "folder": string;
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
          "project_id": string | null;
          "prompt": string | null;
          "provider": string;
          "retry_count": number;
          "rev": number;
          "rhyme_id": string | null;
          "scene": string | null;
          "stage": string;
          "started_at": string | null;
          "status": string;
          "storage_path": string | null;
          "thumbnail_path": string | null;
          "title": string;
          "under_way": boolean;
          "updated_at": string;
          "user_id": string;
          "video_state": Json | null;
        };
        ComputedFields: "video_state";
        Insert: {
          "avatar_path"?: string | null;
          "changed_in"?: unknown;
          "child_id"?: string | null;
          "completed_at"?: string | null;
          "created_at"?: string;
          "duration_seconds"?: number | null;
          "error_code"?: string | null;
          "error_message"?: string | null;
          "estimated_completion_at": string;
          "fallbacks"?: NonNullable<Json>;
          "folder"?: string;
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
          "project_id"?: string | null;
          "prompt"?: string | null;
          "provider": string;
          "retry_count"?: number;
          "rev"?: number;
          "rhyme_id"?: string | null;
          "scene"?: string | null;
          "stage"?: string;
          "started_at"?: string | null;
          "status"?: string;
          "storage_path"?: string | null;
          "thumbnail_path"?: string | null;
          "title": string;
          "under_way"?: never;
          "updated_at"?: string;
          "user_id": string;
        };
        Update: {
          "avatar_path"?: string | null;
          "changed_in"?: unknown;
          "child_id"?: string | null;
          "completed_at"?: string | null;
          "created_at"?: string;
          "duration_seconds"?: number | null;
          "error_code"?: string | null;
          "error_message"?: string | null;
          "estimated_completion_at"?: string;
          "fallbacks"?: NonNullable<Json>;
          "folder"?: string;
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
          "project_id"?: string | null;
          "prompt"?: string | null;
          "provider"?: string;
          "retry_count"?: number;
          "rev"?: number;
          "rhyme_id"?: string | null;
          "scene"?: string | null;
          "stage"?: string;
          "started_at"?: string | null;
          "status"?: string;
          "storage_path"?: string | null;
          "thumbnail_path"?: string | null;
          "title"?: string;
          "under_way"?: never;
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
            foreignKeyName: "videos_project_id_fkey";
            columns: ["project_id"];
            isOneToOne: false;
            referencedRelation: "projects";
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
      "delete_project": { Args: { "p_project_id": string }; Returns: undefined };
      "delete_videos": { Args: { "p_video_ids": (string)[] }; Returns: Json };
      "forget_child": { Args: { "p_child_id": string }; Returns: undefined };
      "forget_user": { Args: { "p_user_id": string }; Returns: Json };
      "give_consent": { Args: { "p_child_id": string; "p_text_id": string }; Returns: string };
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
      "is_own_avatar": { Args: { "p_name": string }; Returns: boolean };
      "list_videos": {
        Args: {
          "p_child_id"?: string;
          "p_cursor"?: string;
          "p_favorite"?: boolean;
          "p_kind"?: string;
          "p_limit"?: number;
          "p_provider"?: string;
          "p_search"?: string;
          "p_status"?: (string)[];
        };
        Returns: {
          "child_id": string;
          "completed_at": string;
          "created_at": string;
          "cursor": string;
          "duration_seconds": number;
          "error_code": string;
          "error_message": string;
          "gem_cost": number;
          "is_favorite": boolean;
          "kind": string;
          "model": string;
          "progress": number;
          "prompt": string;
          "provider": string;
          "rev": number;
          "stage": string;
          "status": string;
          "storage_path": string;
          "thumbnail_path": string;
          "title": string;
          "video_id": string;
        }[];
      };
      "margins": { Args: { "p_from": string; "p_to": string }; Returns: Json };
      "price_list": { Args: Record<PropertyKey, never>; Returns: Json };
      "project_state": { Args: { "p_project_id": string; "p_user_id": string }; Returns: Json };
      "queue_clips": {
        Args: { "p_project_id": string; "p_scenes": Json; "p_user_id": string };
        Returns: number;
      };
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
      "queue_videos": { Args: { "p_orders": Json; "p_wait"?: boolean }; Returns: Json };
      "quote_video": { Args: { "p_request": Json; "p_user_id": string }; Returns: Json };
      "record_provider_events": { Args: { "p_events": Json; "p_provider": string }; Returns: Json };
      "register_device": {
        Args: {
          "p_address": string;
          "p_auth"?: string;
          "p_kind": string;
          "p_p256dh"?: string;
          "p_platform": string;
        };
        Returns: string;
      };
      "search_videos": { Args: { "p_search": string }; Returns: string[] };
      "set_favorite": { Args: { "p_favorite": boolean; "p_video_id": string }; Returns: undefined };
      "update_project": {
        Args: { "p_frames"?: Json; "p_project_id": string; "p_title"?: string };
        Returns: undefined;
      };
      "video_changes": { Args: { "p_revs": (number)[]; "p_video_ids": (string)[] }; Returns: Json };
      "video_state": {
        Args: {
          "p_video": Omit<
            Database["public"]["Tables"]["videos"]["Row"],
            Database["public"]["Tables"]["videos"]["ComputedFields"]
          >;
        };
        Returns: Json;
      };
      "video_status": { Args: { "p_user_id": string; "p_video_ids": (string)[] }; Returns: Json };
      "videos_since": { Args: { "p_rev"?: string }; Returns: Json };
      "videos_under_way": { Args: { "p_user_id": string }; Returns: Json };
      "withdraw_consent": { Args: { "p_child_id": string }; Returns: undefined };
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
