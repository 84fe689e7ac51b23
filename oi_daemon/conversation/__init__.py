"""One conversation: its turns, the blocks that wait for a person, and what it has cost.

conversation   entry point: runs turns, and changes the messages and settings between them
turn           from a person's words to an answer; `collaborators` says what it works with
progress       the state, by the rule in `states`, and what waits for a person (`approvals`)
transcript     the messages, in memory and on the disk
processes      the language processes, replaced when the settings want others
survey         finds out what the model is told about the machine and the folder
budget         what a session and a turn have cost
"""
