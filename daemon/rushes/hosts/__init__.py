"""What the daemon does for editors' programs: their open timelines, and how the scripts get into them."""
