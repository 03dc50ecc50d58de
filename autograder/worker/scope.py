"""Which names a statement binds or changes, and which it reads from outside itself."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_Scope = _Function | ast.ClassDef | _Comprehension


def binds(statement: ast.stmt) -> set[str]:
    """The module's names that a top-level statement assigns, defines, imports, deletes or changes in place."""
    return set(_bound(statement)) | {name for part in _inside(statement) for name in _base_of_store(part)}


def changes(statement: ast.stmt) -> set[str]:
    """The names whose methods are called for their effect: `table.append(1)` changes `table`, in a loop too."""
    names: set[str] = set()
    for part in _inside(statement):
        match part:
            case ast.Expr(value=ast.Call(func=ast.Attribute() as method)):
                names |= _base(method)
            case _:
                pass
    return names


def decorators(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """What decorates a definition: plain names (`@register("relu")`), and names with a method (`@table.add`)."""
    plain: set[str] = set()
    methods: set[str] = set()
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        for decorator in statement.decorator_list:
            what = decorator.func if isinstance(decorator, ast.Call) else decorator
            (methods if isinstance(what, ast.Attribute) else plain).update(_base(what))
    return plain, methods


def reads(node: ast.AST) -> set[str]:
    """The names that a node looks up outside its own scopes, when it runs or when what it defines is called."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            return _signature_reads(node) | _body_reads(node)
        case ast.ClassDef():
            return _class_reads(node)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            targets = {name for generator in node.generators for name in _bound(generator.target)}
            return reads(node.generators[0].iter) | (_union(ast.iter_child_nodes(node)) - targets)
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


def _signature_reads(node: _Function) -> set[str]:
    """What defining a function reads: decorators, defaults, annotations."""
    arguments = [argument for argument in ast.walk(node.args) if isinstance(argument, ast.arg)]
    parts: list[ast.expr | None] = [*node.args.defaults, *node.args.kw_defaults]
    parts += [argument.annotation for argument in arguments]
    if not isinstance(node, ast.Lambda):
        parts += [*node.decorator_list, node.returns]
    return _union(part for part in parts if part)


def _body_reads(node: _Function) -> set[str]:
    """What calling a function reads besides its own names."""
    body = [node.body] if isinstance(node, ast.Lambda) else node.body
    local = {argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)}
    local |= {name for part in body for name in _bound(part)}
    declared = {
        name for part in body for inner in ast.walk(part) if isinstance(inner, ast.Global) for name in inner.names
    }
    return (_union(body) - local) | declared


def _class_reads(node: ast.ClassDef) -> set[str]:
    # A method's body does not see the names of its class's body; all else in there does.
    methods = [part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)]
    beside = [part for part in node.body if part not in methods]
    own = {name for part in node.body for name in _bound(part)}
    inside = _union(beside).union(*map(_signature_reads, methods)) - own
    return _union([*node.decorator_list, *node.bases, *node.keywords]) | inside.union(*map(_body_reads, methods))


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it that stands in the same scope."""
    yield node
    if not isinstance(node, _Scope):
        for child in ast.iter_child_nodes(node):
            yield from _inside(child)


def _bound(node: ast.AST) -> Iterator[str]:
    """Names that become the scope's own."""
    for part in _inside(node):
        match part:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from (alias.asname or alias.name.partition(".")[0] for alias in aliases)
            case ast.Name(ctx=ast.Store() | ast.Del(), id=name):
                yield name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.MatchMapping(rest=str(name)):
                yield name
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                # `:=` in a comprehension binds outside it.
                yield from (inner.target.id for inner in ast.walk(part) if isinstance(inner, ast.NamedExpr))
            case _:
                pass


def _base_of_store(node: ast.AST) -> set[str]:
    """Of `table[0] = …` and `thing.field = …` the name that stands first."""
    match node:
        case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
            return _base(node)
        case _:
            return set()


def _base(node: ast.expr) -> set[str]:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()
