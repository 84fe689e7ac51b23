"""What code does to files: seen after each block, and undone when a person wants it.

state       what is at one path
tree        what is in the folders that are watched, and what has changed there
watches     which paths may have changed, as Linux tells it
ignores     which paths are not kept
contents    what files held, by their hash
journal     the records of a conversation, which survive a killed process
restore     puts paths back into a state
difference  two contents of a file as a diff
keeper      keeps the files of one conversation; the only door to all of these
"""
