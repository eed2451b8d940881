/** The functions of the database that signed-in users may call, each on what is their own. */
export const USER_FUNCTIONS: readonly string[] = [
  "delete_project",
  "delete_videos",
  "forget_child",
  "give_consent",
  "is_own_avatar",
  "list_videos",
  "register_device",
  "search_videos",
  "set_favorite",
  "update_project",
  "video_state",
  "videos_since",
  "withdraw_consent",
];
