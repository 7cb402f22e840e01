"""Results for people and for programs: returns renderables and text, never prints."""
