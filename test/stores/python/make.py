"""Makes the tables beside this file: what LlamaIndex for Python answers. Run with `pip install llama-index-core==0.14.25 numpy`."""

import json
import random
import struct
from pathlib import Path

from llama_index.core.indices.query.embedding_utils import get_top_k_mmr_embeddings
from llama_index.core.vector_stores.types import FilterOperator, MetadataFilter, MetadataFilters
from llama_index.core.vector_stores.utils import build_metadata_filter_fn

here = Path(__file__).parent


def write(name, rows):
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (here / name).write_text("[\n" + lines + "\n]\n")


def float32(number):
    return struct.unpack("f", struct.pack("f", number))[0]


def mmr():
    rng = random.Random(7)
    kinds = [
        # Few different numbers, so that equal scores are common.
        lambda: [rng.choice([-1, 0, 1]) for _ in range(2)] + [1],
        lambda: [float32(rng.uniform(-1, 1)) for _ in range(5)],
    ]
    for vector in kinds:
        for count, k, threshold in [
            (1, 3, None), (8, 1, None), (8, 4, None), (8, 8, None), (8, 20, None),
            (10, 6, 0), (10, 6, 0.2), (10, 6, 0.5), (10, 6, 0.8), (10, 6, 1),
        ]:  # fmt: skip
            vectors = [vector() for _ in range(count)]
            query = vector()
            scores, ids = get_top_k_mmr_embeddings(
                query, vectors, similarity_top_k=k, mmr_threshold=threshold,
                embedding_ids=[f"v{at}" for at in range(count)],
            )  # fmt: skip
            yield {
                "query": query, "vectors": vectors, "k": k, "threshold": threshold,
                "ids": ids, "scores": [float(score) for score in scores],
            }  # fmt: skip


held = [
    {}, {"k": None}, {"k": ""}, {"k": []}, {"k": "a"}, {"k": "A"}, {"k": "hello"}, {"k": "1"}, {"k": 1}, {"k": 1.0}, {"k": True},
    {"k": 0}, {"k": False}, {"k": -2.5}, {"k": ["a", "b"]}, {"k": [1, 2]}, {"k": [True]}, {"k": ["1"]}, {"k": {"a": 1}}, {"k": {}},
]  # fmt: skip
values = ["a", "", "ell", "ELL", "1", 1, 0, 1.5, ["a", "b"], ["b", "a"], ["ell"], [1, 2], ["1"], [], None]


def answer(matches):
    try:
        return "T" if matches("node") else "F"
    except TypeError:
        return "!"


def filters():
    yield {"held": held}
    for operator in FilterOperator:
        for value in values:
            one = MetadataFilters(filters=[MetadataFilter(key="k", value=value, operator=operator)])
            answers = "".join(
                answer(build_metadata_filter_fn(lambda _, each=each: each, one)) for each in held
            )
            yield {"operator": operator.value, "value": value, "answers": answers}


write("mmr.json", mmr())
write("filters.json", filters())
