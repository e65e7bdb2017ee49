"""Projects: four ways to pool, the loss of fine-tuning, and three whole models rebuilt with less and less help."""

CHAPTER = "16_projects"
ORDER = ("heads", "sft", "encoder_text_open", "seq2seq_from_signatures", "decoder_from_empty")
