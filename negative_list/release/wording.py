"""What a release is, in words people read: Chinese first, English by switch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from negative_list.classes import CLASS_IDS, classes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from negative_list.release.container import Reason
    from negative_list.release.manifest import Layer, Manifest

__all__ = ["ORIGIN_WORDS", "REASON_WORDS", "manifest_lines"]

REASON_WORDS: Mapping[Reason, tuple[str, str]] = {
    "truncated": ("文件不完整", "its end is missing"),
    "altered": ("内容被改动", "it is not what was signed"),
    "unsigned": ("没有签名", "nobody signed it"),
    "wrong-key": ("签名密钥不受信任", "nobody trusted signed it"),
    "not-a-release": ("不是发布文件", "it is no release"),
    "too-large": ("超过大小限制", "it is over a limit"),
}
"""Why a file is refused, in Chinese and in English."""

ORIGIN_WORDS: Mapping[str, tuple[str, str]] = {
    "": ("未注明", "not told"),
    "national": ("国家", "national"),
    "province": ("省", "province"),
    "city": ("市", "city"),
    "hospital": ("本院", "hospital"),
}
"""Whose a list is, in Chinese and in English."""


def manifest_lines(manifest: Manifest, *, english: bool) -> Iterator[str]:
    """What a manifest says, a line each; each class and each layer has its own."""
    told = _english(manifest) if english else _chinese(manifest)
    yield from (f"{name}: {value}" for name, value in told if value)
    known = classes()
    for class_id in sorted(manifest.classes, key=_place):
        rules, details = manifest.classes[class_id]
        named = known.get(class_id)
        name = (named.en if english else named.name) if named is not None else ""
        yield f"  {class_id} {name}\t{rules}\t{details}"
    for layer in manifest.layers:
        yield "  " + _layer(layer, english=english)


def _place(class_id: str) -> tuple[int, str]:
    return (CLASS_IDS.index(class_id) if class_id in CLASS_IDS else len(CLASS_IDS), class_id)


def _chinese(told: Manifest) -> tuple[tuple[str, str], ...]:
    return (
        ("发布", f"{told.version} {told.name}"),
        ("发布方", told.issuer),
        ("制作时间", f"{told.built_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("适用日期", _days(told.valid_from, told.valid_to, "起", "止")),
        ("接续版本", told.replaces),
        ("规则", f"{told.rules} 条，明细 {told.details} 条，清单 {told.size_bytes} 字节"),
        ("摘要", told.digest),
    )


def _english(told: Manifest) -> tuple[tuple[str, str], ...]:
    return (
        ("release", f"{told.version} {told.name}"),
        ("issuer", told.issuer),
        ("built at", f"{told.built_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("meant for", _days(told.valid_from, told.valid_to, "on", "the last day")),
        ("follows", told.replaces),
        ("rules", f"{told.rules}, details {told.details}, list {told.size_bytes} bytes"),
        ("digest", told.digest),
    )


def _days(first: date | None, last: date | None, begins: str, ends: str) -> str:
    return ", ".join(f"{day} {word}" for day, word in ((first, begins), (last, ends)) if day is not None)


def _layer(layer: Layer, *, english: bool) -> str:
    whose = ORIGIN_WORDS.get(layer.origin, (layer.origin, layer.origin))[english]
    if english:
        return f"layer {layer.name} ({whose})\t{layer.rules} rules\t{len(layer.overridden)} replaced by later layers"
    return f"层 {layer.name}（{whose}）\t规则 {layer.rules} 条\t被后面的层替换 {len(layer.overridden)} 条"
