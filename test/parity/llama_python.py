"""Writes and reads persist directories with the real llama-index-core.

  write DIR           one directory for each kind of index, below DIR
  picture DIR OUT     what each directory below DIR holds, and what retrieving from it finds, as JSON
  similar DIR OUT     what the property graph of DIR/property_graph answers by embedding
  refresh DIR OUT     whether refresh_ref_docs takes the unchanged documents of DIR/vector for unchanged
"""

import hashlib
import json
import logging
import os
import re
import struct
import sys

from llama_index.core import (
    ComposableGraph,
    Document,
    DocumentSummaryIndex,
    KeywordTableIndex,
    KnowledgeGraphIndex,
    PropertyGraphIndex,
    RAKEKeywordTableIndex,
    Settings,
    SimpleKeywordTableIndex,
    StorageContext,
    SummaryIndex,
    TreeIndex,
    VectorStoreIndex,
    get_response_synthesizer,
    load_graph_from_storage,
    load_index_from_storage,
    load_indices_from_storage,
    set_global_tokenizer,
)
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.embeddings.multi_modal_base import MultiModalEmbedding
from llama_index.core.graph_stores.types import EntityNode, Relation
from llama_index.core.indices import EmptyIndex, MultiModalVectorStoreIndex
from llama_index.core.indices.property_graph import ImplicitPathExtractor, VectorContextRetriever
from llama_index.core.llms import MockLLM
from llama_index.core.node_parser import TextSplitter
from llama_index.core.schema import (
    ImageNode,
    IndexNode,
    NodeRelationship,
    RelatedNodeInfo,
    TextNode,
    TransformComponent,
)

DIMENSIONS = 8


def vector_of(text):
    """Eight numbers that a float32 holds exactly, so that no store can round them."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    numbers = [int.from_bytes(digest[at : at + 2], "big") / 65536 - 0.5 for at in range(0, 16, 2)]
    return [struct.unpack("<f", struct.pack("<f", number))[0] for number in numbers]


class HashEmbedding(BaseEmbedding):
    def _get_text_embedding(self, text):
        return vector_of(text)

    def _get_query_embedding(self, query):
        return vector_of(query)

    async def _aget_query_embedding(self, query):
        return vector_of(query)


class HashImageEmbedding(MultiModalEmbedding):
    def _get_text_embedding(self, text):
        return vector_of(text)

    def _get_image_embedding(self, img_file_path):
        return vector_of(str(img_file_path))

    async def _aget_image_embedding(self, img_file_path):
        return vector_of(str(img_file_path))

    def _get_query_embedding(self, query):
        return vector_of(query)

    async def _aget_query_embedding(self, query):
        return vector_of(query)


class Sentences(TextSplitter):
    def split_text(self, text):
        return re.findall(r"[^.]+\.?", text)


class Entities(TransformComponent):
    """Two entities and a relation for each chunk."""

    def __call__(self, nodes, **kwargs):
        for node in nodes:
            words = re.findall(r"\w+", node.get_content())
            first, last = (EntityNode(name=word, label="word", properties={"length": float(len(word))}) for word in (words[0], words[-1]))
            node.metadata["nodes"] = [*node.metadata.get("nodes", []), first, last]
            node.metadata["relations"] = [
                *node.metadata.get("relations", []),
                Relation(label="precedes", source_id=first.id, target_id=last.id, properties={"weight": 1.0}),
            ]
        return nodes


METADATA = {
    "title": "it's \"quoted\"",
    "pages": 3,
    "rating": 4.0,
    "small": 1e-07,
    "large": 1e22,
    "huge": 2**70,
    "nothing": None,
    "flag": True,
    "10": "ten",
    "2": "two",
    "tags": ["a", 1, 1.0, {"deep": [None, False]}],
    "text": "K\u00e4se \u4f60\u597d \U0001f600 \u200b\u007f tab\there",
}


def documents():
    texts = [
        "Varves are layers of sediment. Each one is laid down within a year. Geologists count them.",
        "Alice knows Bob. Bob likes tea and K\u00e4se.\nThey meet in \u4f60\u597d \U0001f600.",
        "Trees grow rings. Rings can be counted, too; a dry year makes a narrow one.",
    ]
    return [Document(text=text, id_=f"doc-{at}", metadata={**METADATA, "at": at}) for at, text in enumerate(texts)]


def triplets_of(text):
    words = re.findall(r"\w+", text)
    return [(words[0], "precedes", words[-1]), (words[0], "starts", words[1])]


def configure():
    Settings.embed_model = HashEmbedding(embed_batch_size=100)
    Settings.llm = MockLLM()
    # The usual one fetches its table from the network.
    set_global_tokenizer(str.split)
    Settings.node_parser = Sentences()


def summarizing():
    return get_response_synthesizer(response_mode="tree_summarize", llm=MockLLM())


def write_composable(storage):
    children = [SummaryIndex.from_documents([document], storage_context=storage) for document in documents()[:2]]
    graph = ComposableGraph.from_indices(
        SummaryIndex, children, index_summaries=["about varves", "about Alice"], storage_context=storage
    )
    graph.root_index.set_index_id("root")


def write_several(storage):
    VectorStoreIndex.from_documents(documents(), storage_context=storage).set_index_id("vectors")
    SummaryIndex.from_documents(documents(), storage_context=storage).set_index_id("list")
    SimpleKeywordTableIndex.from_documents(documents(), storage_context=storage).set_index_id("keywords")


def write_changed(storage):
    index = VectorStoreIndex.from_documents(documents(), storage_context=storage)
    index.delete_ref_doc("doc-1", delete_from_docstore=True)
    index.insert(Document(text="Something new.", id_="doc-9"))


def write_odd_nodes(storage):
    source = RelatedNodeInfo(node_id="source", metadata={"x": 1.0})
    nodes = [
        TextNode(id_="plain", text="plain text"),
        TextNode(
            id_="all",
            text="all fields",
            metadata=METADATA,
            excluded_embed_metadata_keys=["pages"],
            excluded_llm_metadata_keys=["flag"],
            start_char_idx=0,
            end_char_idx=10,
            text_template="{content} / {metadata_str}",
            metadata_template="{key}={value}",
            metadata_separator="; ",
            relationships={
                NodeRelationship.SOURCE: source,
                NodeRelationship.NEXT: RelatedNodeInfo(node_id="plain"),
                NodeRelationship.CHILD: [RelatedNodeInfo(node_id="plain"), RelatedNodeInfo(node_id="index")],
            },
        ),
        IndexNode(id_="index", text="an index node", index_id="other", obj=TextNode(id_="inner", text="inner")),
        ImageNode(id_="image", text="an image", image_path="/tmp/a.png", image_mimetype="image/png"),
        Document(id_="document", text="a document", metadata=METADATA),
        TextNode(id_="2", text="an id like an index", metadata={"doc_id": "mine", "ref_doc_id": "mine"}),
        TextNode(id_="1", text="another"),
        TextNode(id_="__proto__", text="a strange id"),
    ]
    storage.docstore.add_documents(nodes)
    SummaryIndex(nodes=nodes, storage_context=storage)
    VectorStoreIndex(nodes=nodes, storage_context=storage)


RECIPES = {
    "vector": lambda storage: VectorStoreIndex.from_documents(documents(), storage_context=storage),
    "list": lambda storage: SummaryIndex.from_documents(documents(), storage_context=storage),
    "tree": lambda storage: TreeIndex.from_documents(documents(), storage_context=storage, num_children=2),
    "keyword_simple": lambda storage: SimpleKeywordTableIndex.from_documents(documents(), storage_context=storage),
    "keyword_rake": lambda storage: RAKEKeywordTableIndex.from_documents(documents(), storage_context=storage),
    "keyword_llm": lambda storage: KeywordTableIndex.from_documents(documents(), storage_context=storage),
    "knowledge_graph": lambda storage: KnowledgeGraphIndex.from_documents(
        documents(), storage_context=storage, kg_triplet_extract_fn=triplets_of, include_embeddings=True
    ),
    "property_graph": lambda storage: PropertyGraphIndex.from_documents(
        documents(), storage_context=storage, kg_extractors=[Entities(), ImplicitPathExtractor()], use_async=False
    ),
    "document_summary": lambda storage: DocumentSummaryIndex.from_documents(
        documents(), storage_context=storage, response_synthesizer=summarizing()
    ),
    "multi_modal": lambda storage: MultiModalVectorStoreIndex(
        nodes=[
            TextNode(id_="text", text="a text beside images"),
            ImageNode(id_="picture", text="", image_path="a.png"),
            ImageNode(id_="captioned", text="a caption", image_path="b.png"),
        ],
        storage_context=storage,
        embed_model=HashEmbedding(),
        image_embed_model=HashImageEmbedding(),
    ),
    "empty": lambda storage: EmptyIndex(storage_context=storage),
    "nothing": lambda storage: None,
    "composable": write_composable,
    "several": write_several,
    "changed": write_changed,
    "odd_nodes": write_odd_nodes,
}


def write(root):
    for name, recipe in RECIPES.items():
        try:
            storage = StorageContext.from_defaults()
            recipe(storage)
        except ImportError as error:
            print(f"skipped {name}: {error}", file=sys.stderr)
            continue
        storage.persist(os.path.join(root, name))


def plain(value):
    return json.loads(json.dumps(value, sort_keys=True, default=str))


def picture_of(directory):
    storage = StorageContext.from_defaults(persist_dir=directory)
    docs = storage.docstore.docs
    told = {
        "nodes": {id_: [type(node).__name__, node.hash, plain(node.to_dict())] for id_, node in docs.items()},
        "hashes": {id_: storage.docstore.get_document_hash(id_) for id_ in docs},
        "by_hash": storage.docstore.get_all_document_hashes(),
        "ref_docs": plain({id_: vars(info) for id_, info in (storage.docstore.get_all_ref_doc_info() or {}).items()}),
        "structs": {
            struct.index_id: [type(struct).__name__, sorted_sets(struct.to_dict())]
            for struct in storage.index_store.index_structs()
        },
        "vectors": {name: plain(vars(store.data)) for name, store in storage.vector_stores.items()},
        "graph": plain(storage.graph_store.to_dict() if hasattr(storage.graph_store, "to_dict") else None),
        "property_graph": graph_picture(storage.property_graph_store),
        "retrieved": retrieved(storage),
    }
    return told


def sorted_sets(tree):
    return json.loads(json.dumps(tree, sort_keys=True, default=lambda members: sorted(members)))


def graph_picture(store):
    if store is None:
        return None
    return {
        "triplets": sorted([source.id, relation.label, target.id] for source, relation, target in store.graph.get_triplets()),
        "nodes": {id_: plain(node.model_dump()) for id_, node in store.graph.nodes.items()},
        "relations": {id_: plain(relation.model_dump()) for id_, relation in store.graph.relations.items()},
    }


QUESTIONS = ["Who knows Bob?", "Varves are counted", "K\u00e4se tea"]


def retrieved(storage):
    answers = {}
    for struct in storage.index_store.index_structs():
        kind = struct.get_type().value
        if kind in ("empty", "multimodal"):
            continue
        index = load_index_from_storage(storage, index_id=struct.index_id)
        modes = {"tree": {"retriever_mode": "all_leaf"}, "keyword_table": {"retriever_mode": "simple"}, "kg": {"retriever_mode": "keyword"}}
        for question in QUESTIONS:
            retriever = index.as_retriever(**modes.get(kind, {}))
            if kind == "keyword_table":
                from llama_index.core.indices.keyword_table.retrievers import KeywordTableSimpleRetriever

                retriever = KeywordTableSimpleRetriever(index=index)
            if kind == "kg":
                hits = [[words, [n.node_id for n in index.docstore.get_nodes(sorted(ids))]] for words, ids in sorted(struct.table.items())]
            else:
                hits = [[hit.node.node_id, hit.score, hit.node.get_content()] for hit in retriever.retrieve(question)]
                if kind in ("keyword_table", "simple_lpg"):
                    hits.sort(key=lambda hit: hit[0])
                if kind == "kg":
                    hits = hits
            answers[f"{struct.index_id}: {question}"] = plain(hits)
    if "root" in {struct.index_id for struct in storage.index_store.index_structs()}:
        graph = load_graph_from_storage(storage, root_id="root")
        answers["graph"] = sorted(graph.all_indices)
    assert len(load_indices_from_storage_quietly(storage)) == len(storage.index_store.index_structs())
    return answers


def load_indices_from_storage_quietly(storage):
    kinds = {struct.get_type().value for struct in storage.index_store.index_structs()}
    extra = {"image_embed_model": HashImageEmbedding()} if kinds == {"multimodal"} else {}
    return load_indices_from_storage(storage, **extra)


def picture(root, out):
    pictures = {name: picture_of(os.path.join(root, name)) for name in sorted(os.listdir(root))}
    with open(out, "w", encoding="utf-8") as file:
        json.dump(pictures, file, indent=1, sort_keys=True)


def refresh(root, out):
    storage = StorageContext.from_defaults(persist_dir=os.path.join(root, "vector"))
    index = load_index_from_storage(storage)
    changed = documents()
    changed[1] = Document(text="Changed.", id_="doc-1")
    answers = {"unchanged": index.refresh_ref_docs(documents()), "one changed": index.refresh_ref_docs(changed)}
    with open(out, "w", encoding="utf-8") as file:
        json.dump(answers, file)


SEARCHES = [(top_k, depth) for top_k in (1, 4, 100) for depth in (1, 2, 3)]


def similar(root, out):
    storage = StorageContext.from_defaults(persist_dir=os.path.join(root, "property_graph"))
    answers = {}
    for question in QUESTIONS:
        for top_k, depth in SEARCHES:
            parts = {"vector_store": storage.vector_store, "similarity_top_k": top_k, "path_depth": depth, "limit": 1000}
            hits = {
                include_text: VectorContextRetriever(storage.property_graph_store, include_text=include_text, **parts).retrieve(question)
                for include_text in (False, True)
            }
            answers[f"{question} {top_k} {depth}"] = {
                "triplets": best_of([hit.node.text, hit.score] for hit in hits[False]),
                "chunks": best_of([hit.node.node_id, hit.score] for hit in hits[True] if hit.node.node_id in storage.docstore.docs),
            }
    with open(out, "w", encoding="utf-8") as file:
        json.dump(answers, file)


def best_of(scored):
    best = {}
    for key, score in scored:
        best[key] = max(score, best.get(key, score))
    return best


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    configure()
    {"write": write, "picture": picture, "similar": similar, "refresh": refresh}[sys.argv[1]](*sys.argv[2:])
