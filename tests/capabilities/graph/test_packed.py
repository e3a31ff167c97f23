import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from safeconduct.capabilities.graph.packed import Graph, find_path, pack, unpack


@st.composite
def graphs(draw):
    count = draw(st.integers(0, 40))
    packages = draw(st.lists(st.integers(0, 2**31), min_size=count, max_size=count))
    nodes = st.integers(0, count - 1) if count else st.nothing()
    edges = draw(st.sets(st.tuples(nodes, nodes), max_size=80)) if count else set()
    direct = draw(st.sets(nodes)) if count else set()
    return packages, direct, edges


@given(graphs())
@settings(deadline=None)
def test_a_graph_comes_back_as_it_was_packed(made):
    packages, direct, edges = made
    packed = pack([f"pkg:npm/a{n}" for n in range(len(packages))], packages, direct, edges)
    graph = unpack(packed.nodes, packed.edges)
    assert list(graph.packages) == packages
    assert graph.direct == direct
    assert set(graph.edges) == edges


@given(graphs())
@settings(deadline=None)
def test_a_path_found_is_a_shortest_walk_from_a_root(made):
    """Against a plain search of all distances."""
    packages, direct, edges = made
    graph = Graph(packages, frozenset(direct), tuple(edges))
    children = {child for parent, child in edges if parent != child}
    roots = direct or {node for node in range(len(packages)) if node not in children}
    distance = dict.fromkeys(roots, 0)
    for _ in packages:
        for parent, child in edges:
            if parent in distance:
                distance[child] = min(distance.get(child, 10**9), distance[parent] + 1)
    for target in range(len(packages)):
        found = find_path(graph, [target])
        if target not in distance:
            assert found is None
        else:
            assert len(found) == distance[target] + 1
            assert found[0] in roots
            assert found[-1] == target
            assert all(pair in edges for pair in itertools.pairwise(found))


def test_more_nodes_than_two_bytes_count_come_back_too():
    count = 70_000
    edges = [(0, node) for node in range(1, count)]
    packed = pack([str(n) for n in range(count)], list(range(count)), [0], edges)
    graph = unpack(packed.nodes, packed.edges)
    assert len(graph.packages) == count
    assert graph.edges[-1] == (0, count - 1)
    assert find_path(graph, [count - 1]) == (0, count - 1)


def test_a_cycle_is_walked_once():
    graph = Graph([1, 2, 3], frozenset({0}), ((0, 1), (1, 2), (2, 1), (1, 1)))
    assert find_path(graph, [2]) == (0, 1, 2)


def test_a_node_that_depends_on_itself_only_is_a_root():
    assert find_path(Graph([1], frozenset(), ((0, 0),)), [0]) == (0,)


def test_the_key_is_of_the_content_not_of_local_ids():
    assert pack(["a", "b"], [1, 2], [0], [(0, 1)]).key == pack(["a", "b"], [7, 9], [0], [(0, 1)]).key
    assert pack(["a", "b"], [1, 2], [0], [(0, 1)]).key != pack(["a", "b"], [1, 2], [0], []).key
    assert pack(["a", "b"], [1, 2], [0], []).key != pack(["a", "b"], [1, 2], [1], []).key
