from helpers.image_files import _own_cache, labelled, mixed_folder, save  # noqa: F401
