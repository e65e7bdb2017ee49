"""The decoder: its block, what it is shown, what it is asked."""

CHAPTER = "11_decoder"
ORDER = ("shift_right", "teacher_forcing", "block")
