# %% [markdown]
# # Pooling
#
# A convolution layer answers the same question at every position: *is my pattern here? and here? and here?* From a signal of $T$ samples and a filter of $k$ taps it makes $T - k + 1$ answers, and a signal twice as long gets about twice as many. That is what makes it work at any length, and it leaves us with a problem: we wanted **one** answer. Does this recording contain a bark? Is there a boat in this picture? Pooling turns many answers into few. It throws away *where* on purpose, and keeps *whether* (the maximum), *how much* (the sum), or *how much on average* (the mean).
#
# The lecture's picture of it: a small perceptron walks along the signal, writes down one number per window, and at the end of the walk one number is made of all of them. Convolution is **equivariant**: shift the input and the output shifts alike. Pool that output over all of time and it hardly matters where the pattern was: the answer has become **invariant**. In pictures one pools more gently, within small windows, so that each layer sees the world at a coarser scale than the one before: this is how a network goes from pixels to edges to faces.
#
# | function | what it does | difficulty | minutes | points |
# | --- | --- | --- | --- | --- |
# | `sum_pool`, `mean_pool`, `max_pool` | one number per signal | ★ | 5 each | 5 each |
# | `max_pool2d` | the largest value of each window of a picture | ★★ | 35 | 35 |
# | `avg_pool2d` | the mean of each window of a picture | ★★ | 15 | 25 |
# | `adaptive_avg_pool2d` | a picture of any size to a picture of the size you ask for | ★★★ (stretch: uneven cells) | 25 | 25 |
#
# Write your code where a function says `NotImplementedError`. Everything is NumPy. PyTorch's own pooling functions, SciPy and scikit-image are not to be called here, but do compare yourself with PyTorch outside these functions: it is how professionals test.

# %% [markdown]
# ## How to read the shapes
#
# $(\dots, T)$ means "any number of leading axes, then time last": a single signal $(T,)$, a batch of them $(B, T)$, a batch with channels $(B, C, T)$. Pooling treats every leading index on its own, and never mixes two signals, two channels or two pictures. In the same way $(\dots, H, W)$ is a picture of $H$ rows and $W$ columns, channel first, with whatever stands before it: $(H, W)$, $(C, H, W)$, $(B, C, H, W)$.
#
# In NumPy `x[..., 3]` and `axis=-1` say just that: "the last axis, however many there are before it". One function then serves all of these shapes, without a single loop over the batch.

# %%
import numpy as np

# %% [markdown]
# ## Given
#
# Two helpers that you may call and need not change. `as_array` lets your functions take lists and integers too. Careful: an array of floats it hands on *as it is*, without a copy, so whatever you write into it is written into the caller's data. `pair` reads a size that is one int for both directions, or a pair (height, width): height is always first.


# %%
def as_array(x):
    """Array of floating-point numbers: lists and integers become float64, an array of floats stays itself."""
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(np.float64)


def pair(size):
    """Height and width of a size given as one int or as a pair.

    Example:
        >>> pair(3), pair((2, 5))
        ((3, 3), (2, 5))
    """
    return (size, size) if isinstance(size, int) else tuple(size)


# %% [markdown]
# ## 1 · Pooling over time: the sum ★ (5 minutes)
#
# $$y = \sum_{n=0}^{T-1} z[n]$$
#
# Here $z$ is what the convolution has left, and $T$ is its own length. *How much of my pattern is there altogether?*
#
# **By hand.** The lecture's example, $x = [1\ 2\ 3\ 4\ 5]$ convolved with $g = [1\ 2]$, gives $z = [4\ 7\ 10\ 13]$. Its sum is $4 + 7 + 10 + 13 = 34$. Two signals at once, $[[4, 7, 10, 13], [1, 0, -1, 0]]$ of shape $(2, 4)$, give $[34, 0]$ of shape $(2,)$.
#
# **Traps.** Only the last axis goes away, and it goes away altogether: $(B, C, T)$ becomes $(B, C)$, not $(B, C, 1)$ and not one number. A signal without a single sample has nothing to pool, and neither has a number that is no signal at all: raise a `ValueError`.


# %%
def sum_pool(z):
    """Sum over time: y[…] = Σ_n z[…, n].

    Args:
        z: real numbers, shape (…, T): any number of leading axes, time last.

    Returns:
        array of shape (…); a single signal (T,) gives an array of shape ().

    Raises:
        ValueError: T is 0, or z is a scalar.

    Source: lecture "Convolution", section 4 (one output per sequence).

    Example:
        >>> sum_pool([4, 7, 10, 13])
        array(34.)
    """
    z = as_array(z)
    raise NotImplementedError("sum_pool")


# %% [markdown]
# ## 2 · Pooling over time: the mean ★ (5 minutes)
#
# $$y = \frac{1}{T} \sum_{n=0}^{T-1} z[n]$$
#
# The sum grows with the length of the recording; the mean does not. *How strong is my pattern, on average?*
#
# **By hand.** $z = [4\ 7\ 10\ 13]$ has four entries, and so the mean is $34 / 4 = 8.5$.
#
# > **Where the slide slips.** The slide on mean pooling divides by $T - k$, with $T$ the length of the signal $x$ that went *into* the convolution. For $T = 5$ and $k = 2$ that is $3$, but the convolution has left four numbers, and a mean divides by as many numbers as it sums: $T - k + 1$. Your function sees only $z$, so there is nothing to subtract: its $T$ is the length of $z$.
#
# **Traps.** The mean of integers is rarely an integer. And dividing *in place* would change the caller's array.


# %%
def mean_pool(z):
    """Mean over time: y[…] = (1 / T) Σ_n z[…, n].

    Args:
        z: real numbers, shape (…, T): any number of leading axes, time last.

    Returns:
        array of shape (…), floating point also where z holds integers; a single signal (T,) gives an array of shape ().

    Raises:
        ValueError: T is 0, or z is a scalar.

    Source: lecture "Convolution", section 4 (one output per sequence; the slide's T − k should read T − k + 1).

    Example:
        >>> mean_pool([4, 7, 10, 13])
        array(8.5)
    """
    z = as_array(z)
    raise NotImplementedError("mean_pool")


# %% [markdown]
# ## 3 · Pooling over time: the maximum ★ (5 minutes)
#
# $$y = \max_{0 \le n < T} z[n]$$
#
# *Is my pattern anywhere?* One strong answer among a thousand weak ones is enough; in the mean it would drown.
#
# **By hand.** $[4\ 7\ 10\ 13]$ gives $13$; $[-4\ {-7}\ {-1}]$ gives $-1$, the largest number and not the one of the largest magnitude.
#
# **Traps.** The value, not its position. And ask yourself what your code answers where *every* entry is negative: many a running maximum starts from the wrong number.


# %%
def max_pool(z):
    """Maximum over time: y[…] = max_n z[…, n].

    Args:
        z: real numbers, shape (…, T): any number of leading axes, time last.

    Returns:
        array of shape (…); a single signal (T,) gives an array of shape ().

    Raises:
        ValueError: T is 0, or z is a scalar.

    Source: lecture "Convolution", section 4 (one output per sequence).

    Example:
        >>> max_pool([[4, 7, 10, 13], [-4, -7, -1, -2]])
        array([13., -1.])
    """
    z = as_array(z)
    raise NotImplementedError("max_pool")


# %% [markdown]
# ### See it: the same answer wherever the pattern is
#
# Three noisy recordings of ten seconds, sampled every 0.1 s as in the lecture. In two of them the same short chirp is hidden, early in one and late in the other; the third is noise alone. A filter that knows the chirp slides along each.
#
# *The figure has one panel per recording: a wiggling line of filter outputs near zero with one tall peak at 2 s in the first panel, the same peak at 7 s in the second and none in the third; a dashed line marks the maximum, a dotted one the mean, and each title gives the three pooled numbers.*
#
# Look at the numbers: the peak moves by five seconds, and the maximum hardly changes. Sum and mean cannot tell which recordings hold the chirp: the noise of all ten seconds goes into them, and answers below zero cancel those above. Which pooling would you take for "is there a bark?", and which for "how much does it rain?"

# %% tags=["active-ipynb"]
# import matplotlib.pyplot as plt
#
# rng = np.random.default_rng(7026)
# seconds = np.arange(100) / 10
# chirp = np.array([0.3, 0.9, 1.6, 0.9, -0.7, -1.2, 0.4, 0.8])
# recordings = 0.25 * rng.normal(size=(3, seconds.size))
# recordings[0, 20:28] += chirp
# recordings[1, 70:78] += chirp
# # sliding the chirp along without a flip is convolving with the flipped chirp
# answers = np.array([np.convolve(recording, chirp[::-1], mode="valid") for recording in recordings])
# try:
#     pooled = np.array([sum_pool(answers), mean_pool(answers), max_pool(answers)])
# except NotImplementedError as unfinished:
#     print(f"Finish {unfinished} first, then run this cell again.")
# else:
#     figure, panels = plt.subplots(1, 3, figsize=(12, 3), sharey=True, layout="constrained")
#     for panel, z, (total, mean, highest), name in zip(panels, answers, pooled.T, ["early", "late", "noise alone"]):
#         panel.plot(seconds[: z.size], z, color="#0072B2", linewidth=1)
#         panel.axhline(highest, color="#D55E00", linestyle="--", label="maximum")
#         panel.axhline(mean, color="#009E73", linestyle=":", linewidth=2, label="mean")
#         panel.set(title=f"{name}: sum {total:.1f}, mean {mean:.2f}, max {highest:.1f}", xlabel="time in seconds")
#     panels[0].set_ylabel("output of the filter")
#     panels[2].legend(loc="upper right")
#     plt.show()

# %% [markdown]
# ## 4 · Max pooling of pictures ★★ (35 minutes)
#
# A window of $k_h \times k_w$ pixels slides over the picture in steps of the stride $(s_h, s_w)$, and leaves its largest value:
#
# $$y[m, n] = \max_{0 \le i < k_h,\ 0 \le j < k_w} x[s_h m + i - p_h,\ s_w n + j - p_w]$$
#
# Two things differ from a convolution. Where no stride is given, the windows lie **side by side**: the stride is the kernel size, not 1. And the padding $(p_h, p_w)$ makes the picture larger on all four sides by pixels that **never win**: they count as $-\infty$. A window must fit into the padded picture as a whole; what is left over at the right and at the bottom is not read (PyTorch rounds down):
#
# $$H' = \left\lfloor \frac{H + 2 p_h - k_h}{s_h} \right\rfloor + 1 \qquad W' = \left\lfloor \frac{W + 2 p_w - k_w}{s_w} \right\rfloor + 1$$
#
# **By hand.** A picture of 4 × 5 pixels with a kernel of 2, hence stride 2. The fifth column is left over:
#
# $$\begin{array}{|rr|rr|r}
# \hline 3 & -1 & 2 & -5 & 0 \\ -2 & -4 & 6 & 1 & -3 \\
# \hline 5 & 0 & -1 & -2 & 4 \\ -6 & 7 & -8 & 2 & -1 \\ \hline
# \end{array} \quad\longrightarrow\quad
# \begin{array}{|r|r|} \hline 3 & 6 \\ \hline 7 & 2 \\ \hline \end{array}$$
#
# And the one row $[-3\ {-1}\ {-2}]$ with the kernel $(1, 3)$, stride 1 and padding $(0, 1)$. The windows are $[-\infty, -3, -1]$, $[-3, -1, -2]$, $[-1, -2, -\infty]$, and so the answer is $[-1\ {-1}\ {-1}]$.
#
# **Traps.**
# * Try a picture in which everything is negative. A zero anywhere in your answer is one that you have put in yourself.
# * Height is first, everywhere: kernel $(2, 3)$ is two rows by three columns. Test with oblong pictures, oblong kernels and two different strides; a square hides every swap.
# * $-\infty$ does not exist among the integers.
# * A padding of more than half the kernel (in either direction) could make a window of padding alone: `ValueError`. So is a picture into which not even one window fits.
# * A slice of an array is a view: whoever writes into it writes into the picture.
#
# **A way to think.** Four nested loops over $m, n, i, j$ are right, and slow. Of the four, which two could NumPy do at once, for all windows and all channels of all pictures? Get it right first, then fast: the loops are a fine thing to compare with.


# %%
def max_pool2d(x, kernel_size, stride=None, padding=0):
    """Largest value of each window: y[…, m, n] = max over i, j of x[…, s_h m + i − p_h, s_w n + j − p_w].

    H' = ⌊(H + 2 p_h − k_h) / s_h⌋ + 1, and W' alike.

    Args:
        x: real numbers, shape (…, H, W): any number of leading axes.
        kernel_size: the window (k_h, k_w) in pixels; int or pair (height, width).
        stride: the step (s_h, s_w) from window to window; int or pair; None means the kernel size.
        padding: rows (p_h) and columns (p_w) added on each side; int or pair; they count as −∞.

    Returns:
        array of shape (…, H', W').

    Raises:
        ValueError: the padding is more than half the kernel size, or no window fits (H' or W' below 1), in either direction.

    Source: lecture "Convolution", section 5 (stride and padding); conventions of torch.nn.functional.max_pool2d.

    Example:
        >>> max_pool2d([[3, -1, 2, -5, 0], [-2, -4, 6, 1, -3], [5, 0, -1, -2, 4], [-6, 7, -8, 2, -1]], 2)
        array([[3., 6.],
               [7., 2.]])
    """
    x = as_array(x)
    (kh, kw), (ph, pw) = pair(kernel_size), pair(padding)
    raise NotImplementedError("max_pool2d")


# %% [markdown]
# ## 5 · Mean pooling of pictures ★★ (15 minutes)
#
# The same windows, the same stride, the same shape. Only what a window leaves is its mean:
#
# $$y[m, n] = \frac{1}{k_h k_w} \sum_{i=0}^{k_h - 1} \sum_{j=0}^{k_w - 1} x[s_h m + i - p_h,\ s_w n + j - p_w]$$
#
# where $x$ is **zero** outside the picture. The padded zeros count: the divisor is $k_h k_w$ for every window, at the border too, as is PyTorch's default. This is a convolution, by the way: with the low-pass filter whose taps are all $1 / (k_h k_w)$, read off at every stride-th position.
#
# **By hand.** The picture of section 4 with a kernel of 2: the first window sums to $3 - 1 - 2 - 4 = -4$ and has the mean $-1$; altogether
#
# $$\begin{array}{|r|r|} \hline -1 & 1 \\ \hline 1.5 & -2.25 \\ \hline \end{array}$$
#
# The row $[-3\ {-1}\ {-2}]$ with the kernel $(1, 3)$, stride 1 and padding $(0, 1)$: the windows $[0, -3, -1]$, $[-3, -1, -2]$, $[-1, -2, 0]$ give $[-\tfrac{4}{3}\ {-2}\ {-1}]$.
#
# **Traps.** What serves the maximum as padding ruins a mean, and the other way round. The kernel has two sides. The mean of integers is rarely an integer: mind the dtype of the array that you write your means into.


# %%
def avg_pool2d(x, kernel_size, stride=None, padding=0):
    """Mean of each window: y[…, m, n] = (1 / (k_h k_w)) Σ_i Σ_j x[…, s_h m + i − p_h, s_w n + j − p_w].

    H' = ⌊(H + 2 p_h − k_h) / s_h⌋ + 1, and W' alike.

    Args:
        x: real numbers, shape (…, H, W): any number of leading axes.
        kernel_size: the window (k_h, k_w) in pixels; int or pair (height, width).
        stride: the step (s_h, s_w) from window to window; int or pair; None means the kernel size.
        padding: rows (p_h) and columns (p_w) added on each side; int or pair; zeros, which count in the mean.

    Returns:
        array of shape (…, H', W'), floating point also where x holds integers.

    Raises:
        ValueError: the padding is more than half the kernel size, or no window fits (H' or W' below 1), in either direction.

    Source: lecture "Convolution", section 5 (stride and padding); conventions of torch.nn.functional.avg_pool2d.

    Example:
        >>> avg_pool2d([[3, -1, 2, -5, 0], [-2, -4, 6, 1, -3], [5, 0, -1, -2, 4], [-6, 7, -8, 2, -1]], 2)
        array([[-1.  ,  1.  ],
               [ 1.5 , -2.25]])
    """
    x = as_array(x)
    (kh, kw), (ph, pw) = pair(kernel_size), pair(padding)
    raise NotImplementedError("avg_pool2d")


# %% [markdown]
# ## 6 · Adaptive mean pooling ★★★ (25 minutes; uneven cells are the stretch)
#
# The network of the lecture takes pictures of any size, and its linear layer at the end takes exactly $c_y \cdot b \cdot b$ numbers. In between stands a pooling that is told not how large its windows are, but **how many** there shall be: $a$ rows and $b$ columns of cells. Cell $i$ averages the rows
#
# $$\left\lfloor \frac{i\,H}{a} \right\rfloor,\ \dots,\ \left\lceil \frac{(i + 1)\,H}{a} \right\rceil - 1$$
#
# and the columns likewise with $W$ and $b$. Where $a$ divides $H$ these are windows side by side, as in `avg_pool2d`. Mostly it does not: the lecture's 128 × 128 picture leaves the first convolution as 127 × 127, and 127 is a prime.
#
# **By hand.** The signal $[1\ 2\ 3\ 4\ 5]$ as a picture of one row, to $1 \times 2$ cells. Cell 0 begins at $\lfloor 0 \rfloor = 0$ and ends before $\lceil 2.5 \rceil = 3$; it averages $1, 2, 3$. Cell 1 begins at $\lfloor 2.5 \rfloor = 2$ and ends before $5$; it averages $3, 4, 5$. The answer is $[2\ 4]$, and the 3 has been read by both. Ten rows to four cells: rows 0–2, 2–4, 5–7, 7–9. And five rows to seven cells (yes, that is allowed): 0, 0–1, 1–2, 2, 2–3, 3–4, 4.
#
# **Traps.** Begin rounds down, end rounds **up**, and so neighbours may share a row. No single kernel size and stride does this in general, whatever the formulas say that go round in forums. Rounding with floats ($i \cdot (H / a)$) goes wrong by one now and then: stay among the integers. Height is first here too.


# %%
def adaptive_avg_pool2d(x, output_size):
    """Mean of each of a × b cells: y[…, i, j] is the mean of the rows and columns of x that cell (i, j) covers.

    Cell i covers the rows ⌊i H / a⌋ … ⌈(i + 1) H / a⌉ − 1, and cell j the columns ⌊j W / b⌋ … ⌈(j + 1) W / b⌉ − 1.

    Args:
        x: real numbers, shape (…, H, W): any number of leading axes.
        output_size: how many cells (a, b); int or pair (height, width); they may be more than H and W.

    Returns:
        array of shape (…, a, b), floating point also where x holds integers.

    Raises:
        ValueError: an output size is below 1.

    Source: lecture "Convolution", section 7 (the two-layer network); conventions of torch.nn.functional.adaptive_avg_pool2d.

    Example:
        >>> adaptive_avg_pool2d([[1, 2, 3, 4, 5]], (1, 2))
        array([[2., 4.]])
    """
    x = as_array(x)
    a, b = pair(output_size)
    raise NotImplementedError("adaptive_avg_pool2d")


# %% [markdown]
# ### See it: a photograph under three poolings
#
# *The figure shows a photograph of a pagoda by a lake four times: as it is, with 427 × 640 pixels; as two mosaics of 26 × 40 blocks, the one from max pooling far brighter and paler than the one from mean pooling; and as a mosaic of just 7 × 11 cells from adaptive pooling.*
#
# Max pooling keeps the highlights of each window (and makes the picture brighter: thin dark lines vanish, thin bright ones grow); the mean keeps the overall light. Even from 7 × 11 cells you can still tell where the sky is.

# %% tags=["active-ipynb"]
# import matplotlib.pyplot as plt
# try:
#     from sklearn.datasets import load_sample_image
#
#     photograph = load_sample_image("china.jpg").transpose(2, 0, 1) / 255  # rows, columns, colours to C H W, in [0, 1]
#     pictures = {
#         "the photograph": photograph,
#         "max_pool2d, kernel 16": max_pool2d(photograph, 16),
#         "avg_pool2d, kernel 16": avg_pool2d(photograph, 16),
#         "adaptive_avg_pool2d to (7, 11)": adaptive_avg_pool2d(photograph, (7, 11)),
#     }
# except NotImplementedError as unfinished:
#     print(f"Finish {unfinished} first, then run this cell again.")
# except ImportError as missing:
#     print(f"This picture needs {missing.name}: run %pip install scikit-learn, then this cell again.")
# else:
#     figure, panels = plt.subplots(2, 2, figsize=(11, 8), layout="constrained")
#     for panel, (name, picture) in zip(panels.flat, pictures.items()):
#         picture = np.asarray(picture)
#         panel.imshow(picture.transpose(1, 2, 0), interpolation="nearest")
#         panel.set_title(f"{name}: {picture.shape[1]} × {picture.shape[2]}")
#         panel.axis("off")
#     plt.show()

# %% [markdown]
# ### See it: what each cell reads
#
# A trick worth knowing: to see the weights of anything linear, feed it the identity matrix. Pooling the rows of a 10 × 10 identity to four cells gives a 4 × 10 table whose row $i$ holds the weights with which cell $i$ reads the ten samples.
#
# *The figure shows three such tables as grids, samples to the right and cells downwards. Five cells: a clean staircase without overlap. Four cells: stairs of three samples each, in which samples 2 and 7 are read twice. Seventeen cells for ten samples: a steep stair of steps of one or two samples.*

# %% tags=["active-ipynb"]
# import matplotlib.pyplot as plt
#
# samples = 10
# try:
#     tables = {cells: adaptive_avg_pool2d(np.eye(samples), (cells, samples)) for cells in (5, 4, 17)}
# except NotImplementedError as unfinished:
#     print(f"Finish {unfinished} first, then run this cell again.")
# else:
#     figure, panels = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
#     for panel, (cells, table) in zip(panels, tables.items()):
#         shown = panel.imshow(table, cmap="cividis", vmin=0, vmax=1, aspect="auto")
#         panel.set(title=f"{samples} samples to {cells} cells", xlabel="sample", xticks=range(samples), yticks=range(cells))
#     panels[0].set_ylabel("cell")
#     figure.colorbar(shown, ax=panels, label="weight of the sample in the cell")
#     plt.show()

# %% [markdown]
# ## Going further
#
# * **The way back (stretch).** When a network learns, gradients flow back through the pooling. For the mean, every pixel of a window gets an equal share. For the maximum, one pixel gets all and the others nothing. Which pixel, and what where two are equal? Write both backward passes, and compare them with PyTorch's.
# * **Do we need pooling at all?** A convolution with a stride shrinks the picture too, and learns how. Springenberg, Dosovitskiy, Brox and Riedmiller, *Striving for Simplicity: The All Convolutional Net* (2015), replaced every pooling layer by one and lost no accuracy on their benchmarks.
# * **One number per channel.** `adaptive_avg_pool2d` to 1 × 1 is *global average pooling*: Lin, Chen and Yan, *Network In Network* (2014). ResNet ends with it, and so takes pictures of every size.
# * **How invariant is it really?** Shift the photograph by one pixel and max-pool it again: how much changes, with stride 2? Zhang, *Making Convolutional Networks Shift-Invariant Again* (2019), puts a low-pass filter (you know one) before the stride.
# * **Large windows, fast.** With sums over all rectangles that begin in the top left corner (an *integral image*; Viola and Jones, 2001), the mean of any window costs four look-ups, however large it is. Can you write `avg_pool2d` so?
