from tests.training.evaluation.conftest import bench, extract, made

__all__ = ["bench", "extract", "made"]
