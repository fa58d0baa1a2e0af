"""The tiny encoder, exported in both precisions, as folders that `ExportedEncoder.load` and `Encoder.load` read."""

import shutil

import pytest

from stance.models.runtime.encoder import ExportedEncoder
from stance.models.runtime.export import export_encoder


@pytest.fixture(scope="session")
def export(encoder_bundle, tiny_parts, tmp_path_factory):
    """`export("int8")` returns a copy of the encoder's folder with its graph."""

    def run(precision):
        folder = tmp_path_factory.mktemp("exports") / precision
        shutil.copytree(encoder_bundle / "model", folder)
        export_encoder(folder, precision, tiny_parts["train"])
        return folder

    return run


@pytest.fixture(scope="session", params=["fp32", "int8"])
def folder(request, export):
    return export(request.param)


@pytest.fixture(scope="session")
def exported(folder):
    return ExportedEncoder.load(folder)
