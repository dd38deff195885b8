"""Files of annotation tools: boxes and polygons around objects."""
