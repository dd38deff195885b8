"""All layouts by name. A new layout is one file in this folder and one line here."""

from convscope.datasets.layouts.arrays import ARRAYS
from convscope.datasets.layouts.builtin import BUILTIN
from convscope.datasets.layouts.cifar import CIFAR
from convscope.datasets.layouts.class_folders import CLASS_FOLDERS
from convscope.datasets.layouts.coco import COCO
from convscope.datasets.layouts.file_names import FILE_NAMES
from convscope.datasets.layouts.idx import IDX
from convscope.datasets.layouts.label_studio import LABEL_STUDIO
from convscope.datasets.layouts.labelme import LABELME
from convscope.datasets.layouts.layout import Layout
from convscope.datasets.layouts.mask_folders import MASK_FOLDERS
from convscope.datasets.layouts.nested_folders import NESTED_FOLDERS
from convscope.datasets.layouts.series import SERIES_FILES
from convscope.datasets.layouts.table import TABLE
from convscope.datasets.layouts.table_folder import TABLE_FOLDER
from convscope.datasets.layouts.via import VIA
from convscope.datasets.layouts.voc import VOC
from convscope.datasets.layouts.yolo import YOLO

LAYOUTS: dict[str, Layout] = {
    BUILTIN.name: BUILTIN,
    TABLE.name: TABLE,
    TABLE_FOLDER.name: TABLE_FOLDER,
    ARRAYS.name: ARRAYS,
    IDX.name: IDX,
    CIFAR.name: CIFAR,
    MASK_FOLDERS.name: MASK_FOLDERS,
    VOC.name: VOC,
    COCO.name: COCO,
    YOLO.name: YOLO,
    VIA.name: VIA,
    LABEL_STUDIO.name: LABEL_STUDIO,
    LABELME.name: LABELME,
    CLASS_FOLDERS.name: CLASS_FOLDERS,
    FILE_NAMES.name: FILE_NAMES,
    NESTED_FOLDERS.name: NESTED_FOLDERS,
    SERIES_FILES.name: SERIES_FILES,
}
