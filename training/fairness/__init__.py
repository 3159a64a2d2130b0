"""Does the tool treat groups of people alike? Error rates by group, against what was recorded and what was done."""
