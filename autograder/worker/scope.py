"""Which names a statement binds or changes, and which it reads from outside itself."""

from __future__ import annotations

import ast
import functools
import typing
from collections.abc import Iterable, Iterator, Sequence

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_SCOPES = (*typing.get_args(_Function | _Comprehension), ast.ClassDef)
_PARTS = (ast.expr, ast.stmt, ast.arguments, ast.arg, ast.pattern)
_NAMESPACES = ("globals", "vars", "locals")

ANY_NAME = "*"
RECURSION_LIMIT = "sys.setrecursionlimit"


def binds(statement: ast.stmt) -> set[str]:
    """The module's names that a top-level statement assigns, defines, imports, deletes or changes in place.

    ANY_NAME is among them where only running it can tell: a star import, or `globals()[name] = …` in a loop; and
    RECURSION_LIMIT where it says how deep functions may call themselves, which none of them need mention.
    """
    return set(_bound(statement)) | {name for part in _inside(statement) for name in _stored(part)}


def calls(statement: ast.stmt) -> tuple[set[str], set[str], set[str]]:
    """What a statement calls as it runs: plain names, names with a method, and names that are given to either.

    `register("relu", relu)` calls `register` and gives it `relu`; `table.append(1)` calls a method of `table`. What is
    called for its result is a plain name alone: `kind = register("relu")`.
    """
    found = [part for part in _inside(statement) if isinstance(part, ast.Expr | ast.Assign | ast.AnnAssign)]
    made = [(part, call) for part in found for call in walk(part) if isinstance(call, ast.Call)]
    plain, _ = _by_kind(_called(call) for _, call in made)
    _, methods = _by_kind(_called(call) for part, call in made if isinstance(part, ast.Expr))
    return plain, methods, _given(call for _, call in made)


def decorators(statement: ast.stmt) -> tuple[set[str], set[str], set[str]]:
    """What decorates a definition: plain names (`@register("relu")`), names with a method (`@table.add`).

    And names that are given to either.
    """
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            made = [decorator for decorator in statement.decorator_list if isinstance(decorator, ast.Call)]
            return *_by_kind(_called(decorator) for decorator in statement.decorator_list), _given(made)
        case _:
            return set(), set(), set()


def _given(made: Iterable[ast.Call]) -> set[str]:
    return {value.id for call in made for value in call.args if isinstance(value, ast.Name)}


def aliases(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    """Second names that a statement gives to what has one: `shapes = SHAPES`."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=second)], value=ast.Name() | ast.Attribute() | ast.Subscript() as first):
            yield from ((second, name) for name in _base(first))
        case _:
            pass


def parents(statement: ast.stmt) -> set[str]:
    """The names that a class is made of, which may keep a list of such classes."""
    if not isinstance(statement, ast.ClassDef):
        return set()
    return _union([*statement.bases, *statement.keywords])


def effects(definition: ast.stmt) -> set[str]:
    """The names outside a function or class whose data may be changed where it is called."""
    changed: set[str] = set()
    for part in walk(definition):
        match part:
            case ast.Global(names=names):
                changed.update(names)
            case ast.Expr(value=ast.Call(func=ast.Attribute() as method)):
                changed |= _base(method)
            case _:
                changed |= _base_of_store(part)
    return changed & reads(definition)


def reads(node: ast.AST) -> set[str]:
    """The names that a node looks up outside its own scopes, when it runs or when what it defines is called."""
    found: set[str] = set()
    _collect(node, found)
    return found


def _collect(node: ast.AST, found: set[str]) -> None:
    match node:
        case ast.Name(ctx=ast.Load(), id=name):
            found.add(name)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            found |= _signature_reads(node) | _body_reads(node)
        case ast.ClassDef():
            found |= _class_reads(node)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            targets = {name for generator in node.generators for name in _bound(generator.target)}
            found |= reads(node.generators[0].iter) | (_union(_children(node)) - targets)
        case ast.AugAssign(target=ast.Name(id=name), value=value):
            found.add(name)
            _collect(value, found)
        case _:
            for child in _children(node):
                _collect(child, found)


def _union(nodes: Iterable[ast.AST]) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        _collect(node, found)
    return found


def walk(node: ast.AST) -> list[ast.AST]:
    """A node and all below it, faster than `ast.walk` and without what says nothing of names, such as operators."""
    nodes = [node]
    for each in nodes:
        nodes += _children(each)
    return nodes


@functools.lru_cache(maxsize=1 << 15)  # every question above goes through the same nodes
def _children(node: ast.AST) -> Sequence[ast.AST]:
    found: list[ast.AST] = []
    for value in vars(node).values():
        if isinstance(value, _PARTS):
            found.append(value)
        elif type(value) is list:
            found += [item for item in value if isinstance(item, ast.AST)]
    return found


def _signature_reads(node: _Function) -> set[str]:
    """What defining a function reads: decorators, defaults, annotations."""
    arguments = [argument for argument in walk(node.args) if isinstance(argument, ast.arg)]
    parts: list[ast.expr | None] = [*node.args.defaults, *node.args.kw_defaults]
    parts += [argument.annotation for argument in arguments]
    if not isinstance(node, ast.Lambda):
        parts += [*node.decorator_list, node.returns]
    return _union(part for part in parts if part)


def _body_reads(node: _Function) -> set[str]:
    """What calling a function reads besides its own names."""
    body = [node.body] if isinstance(node, ast.Lambda) else node.body
    local = {argument.arg for argument in walk(node.args) if isinstance(argument, ast.arg)}
    local |= {name for part in body for name in _bound(part)}
    declared = {name for part in body for inner in walk(part) if isinstance(inner, ast.Global) for name in inner.names}
    return (_union(body) - local) | declared


def _class_reads(node: ast.ClassDef) -> set[str]:
    """What a class's body reads from outside as it runs, line by line, and its methods when they are called."""
    found = _union([*node.decorator_list, *node.bases, *node.keywords])
    own: set[str] = set()
    for part in node.body:
        # A line sees the names of the lines before it: `slope = slope` takes the module's. A method's body sees none.
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            found |= _signature_reads(part) - own | _body_reads(part)
        else:
            found |= reads(part) - own
        own.update(_surely_bound(part))
    return found


def _surely_bound(part: ast.stmt) -> Iterator[str]:
    """The names that a line of a class's body binds whatever happens; what a loop or a branch may bind is not sure."""
    if not isinstance(part, ast.For | ast.While | ast.If | ast.Try | ast.With | ast.Match | ast.Delete):
        yield from _bound(part)


def _inside(node: ast.AST) -> list[ast.AST]:
    """A node and all below it that stands in the same scope."""
    nodes = [node]
    for each in nodes:
        if not isinstance(each, _SCOPES):
            nodes += _children(each)
    return nodes


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
                yield from (inner.target.id for inner in walk(part) if isinstance(inner, ast.NamedExpr))
            case _:
                pass


def _stored(node: ast.AST) -> set[str]:
    """What else than its own names a part of a statement binds or changes."""
    match node:
        case ast.Subscript(ctx=ast.Store(), value=ast.Call(func=ast.Name(id=namespace)), slice=key):
            if namespace in _NAMESPACES:
                return {str(key.value) if isinstance(key, ast.Constant) else ANY_NAME}
            return set()
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id=namespace)), attr="update")):
            return {ANY_NAME} if namespace in _NAMESPACES else set()
        case ast.Call(func=ast.Name(id="setattr"), args=[thing, *_]):
            module = isinstance(thing, ast.Subscript)  # of sys.modules
            return {ANY_NAME} if module else _base(thing)
        case ast.Call(func=ast.Attribute(attr="setrecursionlimit") | ast.Name(id="setrecursionlimit")):
            return {RECURSION_LIMIT}
        case _:
            return _base_of_store(node)


def _base_of_store(node: ast.AST) -> set[str]:
    """Of `table[0] = …` and `thing.field = …` the name that stands first."""
    match node:
        case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
            return _base(node)
        case _:
            return set()


def _base(node: ast.expr) -> set[str]:
    """The name that stands first, in `table.rows[0]` as in `table.setdefault(0, []).append`."""
    while not isinstance(node, ast.Name):
        match node:
            case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Call(func=ast.Attribute(value=inner)):
                node = inner
            case _:
                return set()
    return {node.id}


def _called(node: ast.expr) -> ast.expr:
    """What is called, in `register("relu")` as in `register("relu")(function)`; else the node itself."""
    while isinstance(node, ast.Call):
        node = node.func
    return node


def _by_kind(nodes: Iterable[ast.expr]) -> tuple[set[str], set[str]]:
    """Names that stand alone, and names with a method."""
    plain: set[str] = set()
    methods: set[str] = set()
    for node in nodes:
        (methods if isinstance(node, ast.Attribute) else plain).update(_base(node))
    return plain, methods
