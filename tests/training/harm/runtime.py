import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray


def run(graph: bytes | onnx.ModelProto, x: NDArray[np.float32], name: str = "features") -> list[NDArray[np.float32]]:
    """Outputs of a graph for one input, on one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    content = graph if isinstance(graph, bytes) else graph.SerializeToString()
    return list(ort.InferenceSession(content, options, providers=["CPUExecutionProvider"]).run(None, {name: x}))
