"""Machine code for loops over vectors of floats, written for the processor at hand by way of LLVM.

Torch's own loops know neither few channels nor what follows them; here both are spelled out. Needs the optional package
llvmlite (it comes with numba) and a processor with AVX2 or AVX-512; :func:`lanes` says whether there is any. Why, where
and how to switch it off: ``docs/engines.md``.
"""

from __future__ import annotations

import ctypes
import importlib.util
import math
import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llvmlite import binding, ir

SWITCH = "MEDSEGAI_MACHINE_CODE"
"""The environment variable that, set to 0 before the first run of a process, leaves all to torch's own operators."""

Code = Callable[..., None]
"""Compiled code; takes addresses and numbers as integers and lets other threads run meanwhile."""


@cache
def lanes() -> int:
    """How many floats a vector of this processor holds: 16, 8, or 0 where no code can, or is to be made."""
    if os.environ.get(SWITCH) == "0" or importlib.util.find_spec("llvmlite") is None:
        return 0
    from llvmlite import binding

    try:
        features = binding.get_host_cpu_features()
    except RuntimeError:
        return 0
    if features.get("avx512f") and features.get("avx512vl"):
        return 16
    return 8 if features.get("avx2") and features.get("fma") else 0


class Writer:
    """Writes one function of 64-bit integers, void, instruction by instruction.

    Offsets count floats. A number given as an int becomes a constant.

    Args:
        name: Of the function.
        arguments: Names of its arguments, which :meth:`given` gives.
        width: Floats a vector.
    """

    def __init__(self, name: str, arguments: Sequence[str], *, width: int) -> None:
        from llvmlite import ir

        self.ir = ir
        self.width = width
        self.integer, self.real = ir.IntType(64), ir.FloatType()
        self.vector = ir.VectorType(self.real, width)
        self.module = ir.Module()
        self.function = ir.Function(
            self.module, ir.FunctionType(ir.VoidType(), [self.integer] * len(arguments)), name=name
        )
        self.code = ir.IRBuilder(self.function.append_basic_block())
        self._arguments = dict(zip(arguments, self.function.args, strict=True))
        self._fused = self._vector_function(f"llvm.fma.v{width}f32", 3)

    def given(self, *names: str) -> list[ir.Value]:
        """The arguments of these names."""
        return [self._arguments[name] for name in names]

    def number(self, value: int | ir.Value) -> ir.Value:
        """A 64-bit integer."""
        return self.ir.Constant(self.integer, value) if isinstance(value, int) else value

    def all(self, value: float) -> ir.Value:
        """A vector of this constant."""
        return self.ir.Constant(self.vector, [value] * self.width)

    def floats(self, address: ir.Value) -> ir.Value:
        """The pointer that an argument is."""
        return self.code.inttoptr(address, self.real.as_pointer())

    def at(self, pointer: ir.Value, *terms: int | ir.Value | tuple[int | ir.Value, int | ir.Value]) -> ir.Value:
        """The pointer moved by the sum of the terms, a pair being a product."""
        for term in terms:
            factors = term if isinstance(term, tuple) else (term,)
            step = self.number(factors[0])
            for factor in factors[1:]:
                step = self.code.mul(step, self.number(factor))
            pointer = self.code.gep(pointer, [step])
        return pointer

    def load(self, pointer: ir.Value, offset: int = 0) -> ir.Value:
        """The vector there."""
        return self.code.load(self._as_vector(pointer, offset), align=4)

    def store(self, value: ir.Value, pointer: ir.Value, offset: int = 0) -> None:
        """Write the vector there."""
        self.code.store(value, self._as_vector(pointer, offset), align=4)

    def spread(self, pointer: ir.Value, offset: int = 0) -> ir.Value:
        """A vector of the one float there."""
        short = self.ir.IntType(32)
        one = self.code.load(self.at(pointer, offset), align=4)
        nothing = self.ir.Constant(self.vector, self.ir.Undefined)
        first = self.code.insert_element(nothing, one, self.ir.Constant(short, 0))
        everywhere = self.ir.Constant(self.ir.VectorType(short, self.width), [0] * self.width)
        return self.code.shuffle_vector(first, nothing, everywhere)

    def interleaved(self, even: ir.Value, odd: ir.Value) -> list[ir.Value]:
        """Two vectors that take turns with the floats of both."""
        kind = self.ir.VectorType(self.ir.IntType(32), self.width)
        order = [place + side * self.width for place in range(self.width) for side in (0, 1)]
        return [
            self.code.shuffle_vector(even, odd, self.ir.Constant(kind, part))
            for part in (order[: self.width], order[self.width :])
        ]

    def fused(self, left: ir.Value, right: ir.Value, add: ir.Value) -> ir.Value:
        """``left * right + add`` with one rounding."""
        return self.code.call(self._fused, [left, right, add])

    def larger(self, one: ir.Value, other: ir.Value) -> ir.Value:
        """The larger of two in each place."""
        return self.code.select(self.code.fcmp_ordered(">", one, other), one, other)

    def power_of_two(self, exponent: ir.Value) -> ir.Value:
        """Two to the power of an exponent of at most 0, to the last digit; no less than 2^-126."""
        whole_numbers = self.ir.VectorType(self.ir.IntType(32), self.width)
        exponent = self.larger(exponent, self.all(-126.0))
        # So large a float has no digits behind the point: adding it rounds to whole numbers, kept in the last bits.
        rounding = self.all(1.5 * 2.0**23)
        rounded = self.code.fadd(exponent, rounding)
        rest = self.code.fsub(exponent, self.code.fsub(rounded, rounding))
        power = self.all(math.log(2) ** 6 / 720)
        for order in range(5, -1, -1):
            power = self.fused(power, rest, self.all(math.log(2) ** order / math.factorial(order)))
        bits = self.ir.Constant(whole_numbers, [23] * self.width)
        whole = self.code.shl(self.code.bitcast(rounded, whole_numbers), bits)
        return self.code.bitcast(self.code.add(self.code.bitcast(power, whole_numbers), whole), self.vector)

    def leaky(self, value: ir.Value, slope: float) -> ir.Value:
        """The value where it is positive, else ``slope`` times it."""
        return self.larger(value, self.code.fmul(value, self.all(slope)))

    def repeat(
        self, times: int | ir.Value, body: Callable[..., Sequence[ir.Value] | None], *carried: ir.Value
    ) -> list[ir.Value]:
        """A loop that runs at least once: ``body(index, *carried)`` gives what it carries on; gives the last of it.

        Short bodies are the point of it: of a long one LLVM keeps more than the registers hold.
        """
        before = self.code.block
        inside, after = self.code.append_basic_block(), self.code.append_basic_block()
        self.code.branch(inside)
        self.code.position_at_end(inside)
        index = self.code.phi(self.integer)
        index.add_incoming(self.number(0), before)
        values = [self.code.phi(value.type) for value in carried]
        for phi, value in zip(values, carried, strict=True):
            phi.add_incoming(value, before)
        results = list(body(index, *values) or ())
        following = self.code.add(index, self.number(1))
        index.add_incoming(following, self.code.block)
        for phi, result in zip(values, results, strict=True):
            phi.add_incoming(result, self.code.block)
        self.code.cbranch(self.code.icmp_signed("<", following, self.number(times)), inside, after)
        self.code.position_at_end(after)
        return results

    def nest(self, times: Sequence[int | ir.Value], body: Callable[..., None], *outer: ir.Value) -> None:
        """Loops inside each other, the first the outermost: ``body(*outer, *indices)``."""
        if times:
            self.repeat(times[0], lambda index: self.nest(times[1:], body, *outer, index))
        else:
            body(*outer)

    def compiled(self) -> Code:
        """The function, ready to be called."""
        self.code.ret_void()
        return _compiled(str(self.module), self.function.name, len(self._arguments), self.width)

    def _as_vector(self, pointer: ir.Value, offset: int) -> ir.Value:
        return self.code.bitcast(self.at(pointer, offset), self.vector.as_pointer())

    def _vector_function(self, name: str, arguments: int) -> ir.Function:
        return self.ir.Function(self.module, self.ir.FunctionType(self.vector, [self.vector] * arguments), name)


def _compiled(text: str, name: str, arguments: int, width: int) -> Code:
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(), features=_features(binding, width), opt=3
    )
    module = binding.parse_assembly(text)
    module.verify()
    builder = binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(speed_level=2))
    builder.getModulePassManager().run(module, builder)
    engine = binding.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * arguments)(engine.get_function_address(name))

    def call(*values: int, _keeps_the_code: Any = engine) -> None:
        function(*values)

    return call


def _features(llvm: binding, width: int) -> str:
    """The processor's features, without AVX-512 where vectors are to be of 8, as on a processor that lacks it."""
    features = llvm.get_host_cpu_features()
    if width < 16:
        features = type(features)({name: on and not name.startswith("avx512") for name, on in features.items()})
    return features.flatten() + ",-prefer-256-bit"
