"""Which names a statement binds, and which it reads from outside itself."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def binds(statement: ast.stmt) -> set[str]:
    """The module's names that a top-level statement assigns, defines, imports, deletes or changes in place."""
    return set(_stored(statement))


def changes(statement: ast.stmt) -> set[str]:
    """The names whose methods an expression statement calls: `table.append(1)` changes `table`."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute() as target)):
            return {name for name in [_base(target)] if name}
        case _:
            return set()


def reads(node: ast.AST) -> set[str]:
    """The names that a node looks up outside its own scopes, when it runs or when what it defines is called."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            return _function_reads(node)
        case ast.ClassDef():
            return _class_reads(node)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return _union(ast.iter_child_nodes(node)) - _targets(node)
        case ast.Name(ctx=ast.Load(), id=name):
            return {name}
        case ast.AugAssign(target=ast.Name(id=name)):
            return {name} | reads(node.value)
        case _:
            return _union(ast.iter_child_nodes(node))


def _union(nodes: Iterable[ast.AST]) -> set[str]:
    result: set[str] = set()
    for node in nodes:
        result |= reads(node)
    return result


def _function_reads(node: _Function) -> set[str]:
    outside = [*node.args.defaults, *(default for default in node.args.kw_defaults if default)]
    if not isinstance(node, ast.Lambda):
        outside += node.decorator_list
    body = [node.body] if isinstance(node, ast.Lambda) else node.body
    arguments = ast.walk(node.args)
    local = {argument.arg for argument in arguments if isinstance(argument, ast.arg)}
    for statement in body:
        local |= set(_stored(statement))
    declared = {
        name for part in body for inner in ast.walk(part) if isinstance(inner, ast.Global) for name in inner.names
    }
    annotations = [argument.annotation for argument in ast.walk(node.args) if isinstance(argument, ast.arg)]
    returns = [] if isinstance(node, ast.Lambda) else [node.returns]
    return (
        _union(outside) | _union(note for note in [*annotations, *returns] if note) | (_union(body) - local) | declared
    )


def _class_reads(node: ast.ClassDef) -> set[str]:
    outside = [*node.decorator_list, *node.bases, *node.keywords]
    # A method does not see the names of its class's body, so only what is read beside the methods is subtracted.
    methods = [part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)]
    beside = [part for part in node.body if part not in methods]
    own = {name for part in node.body for name in _stored(part)}
    return _union(outside) | _union(methods) | (_union(beside) - own)


def _targets(node: _Comprehension) -> set[str]:
    return {name for generator in node.generators for name in _stored(generator.target)}


def _stored(node: ast.AST) -> Iterator[str]:
    """Names bound in the scope in which a node stands; scopes inside it are left alone."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
            return
        case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return
        case ast.Import() | ast.ImportFrom():
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0]
            return
        case ast.Name(ctx=ast.Store() | ast.Del()):
            yield node.id
        case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
            base = _base(node)
            if base:
                yield base
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case _:
            pass
    for child in ast.iter_child_nodes(node):
        yield from _stored(child)


def _base(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
