"""Other packages whose calls are known by their documentation to leave nothing behind that the caller can see.

Small on purpose: what is not here is followed where it is written in Python, and unknown where it is not.
"""

from __future__ import annotations

from autopar._model.effects import EffectKind

EFFECTS: dict[str, EffectKind | None] = dict.fromkeys(
    """
        requests httpx urllib3 aiohttp orjson ujson simplejson msgpack yaml tomli tomli_w regex lxml bs4 html5lib
        dateutil pytz PIL zstandard lz4 brotli snappy xxhash blake3 cryptography bcrypt markdown chardet
        charset_normalizer certifi idna attr attrs sortedcontainers more_itertools toolz cytoolz scipy bottleneck
        numexpr rapidfuzz Levenshtein typing_extensions autopar
    """.split()
) | {
    "scipy.stats": EffectKind.RANDOM,
    "scipy.io": None,
    "numexpr.set_num_threads": EffectKind.PROCESS_STATE,
    "yaml.add_constructor": EffectKind.PROCESS_STATE,
    "yaml.add_representer": EffectKind.PROCESS_STATE,
    "yaml.load": None,
    "pytz.reference": None,
    "PIL.ImageFile.LOAD_TRUNCATED_IMAGES": EffectKind.PROCESS_STATE,
}

SAFE_STATISTICS = frozenset(
    """
        describe gmean hmean pmean skew kurtosis mode moment zscore iqr sem pearsonr spearmanr kendalltau linregress
        theilslopes ttest_ind ttest_rel ttest_1samp mannwhitneyu wilcoxon kruskal friedmanchisquare f_oneway chisquare
        ks_2samp ks_1samp kstest shapiro normaltest jarque_bera entropy rankdata percentileofscore scoreatpercentile
        trim_mean
    """.split()
)
"""Functions of `scipy.stats` that draw no random numbers unless they are told to resample."""

EFFECTS |= dict.fromkeys(f"scipy.stats.{name}" for name in SAFE_STATISTICS)
