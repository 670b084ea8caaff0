"""The vocabulary: plain data that the stages pass to one another. Nothing here touches the machine."""
