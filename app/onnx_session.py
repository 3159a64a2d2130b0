"""ONNX graphs from checked bytes, single-threaded, with the inputs and outputs this version knows."""

from collections.abc import Mapping, Sequence

import onnxruntime as ort

from app.errors import SetupError


def open_session(
    graph: bytes, name: str, inputs: Mapping[str, Sequence[int]], outputs: Sequence[str]
) -> ort.InferenceSession:
    """Load a graph (external data cannot resolve from bytes); `inputs` name -> shape after the batch axis.

    Raises SetupError naming the file where this machine cannot run it, or where it is another graph.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - ONNX Runtime raises a dozen unrelated kinds for an unusable graph
        raise SetupError(
            f"{name} is not a graph this machine can run ({type(error).__name__}). Export it again."
        ) from None
    # It would keep the bytes, to load the graph anew with other providers; there are none.
    session._model_bytes = None
    shapes = {given.name: list(given.shape[1:]) for given in session.get_inputs()}
    found = [given.name for given in session.get_outputs()]
    if shapes != {given: list(shape) for given, shape in inputs.items()} or found != list(outputs):
        raise SetupError(f"{name} has other inputs or outputs than this version of Day Zero. Export it again.")
    return session
