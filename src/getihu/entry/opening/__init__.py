"""我能开这个店吗: which trade it is, which permits it takes, from whom, by which law."""
