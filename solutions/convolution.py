# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   autograder:
#     title: Discrete convolution
#     order: 1
#     minutes: 90
#     libraries: [numpy]
#     forbidden: [
#       numpy.convolve, numpy.correlate, numpy.polymul, scipy,
#       numpy._core.multiarray.correlate, numpy._core.multiarray.correlate2,
#       torch.conv1d, torch.conv2d, torch.conv3d, torch.conv_tbc, torch.convolution, torch._convolution,
#       torch.conv_transpose1d, torch.conv_transpose2d, torch.conv_transpose3d,
#       torch.nn.functional.conv1d, torch.nn.functional.conv2d, torch.nn.functional.conv3d, torch.nn.functional.conv_tbc,
#       torch.nn.functional.conv_transpose1d, torch.nn.functional.conv_transpose2d,
#       torch.nn.functional.conv_transpose3d,
#       torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d, torch.nn.modules.conv,
#       torch.nn.ConvTranspose1d, torch.nn.ConvTranspose2d, torch.nn.ConvTranspose3d,
#       torch.mkldnn_convolution, torch._C._nn.thnn_conv2d, torch._C._nn.slow_conv3d,
#       torch._C._nn.slow_conv_dilated2d, torch._C._nn.slow_conv_dilated3d, torch._C._nn.slow_conv_transpose2d,
#       torch.ops.aten.conv1d, torch.ops.aten.conv2d, torch.ops.aten.conv3d, torch.ops.aten.convolution,
#       torch.ops.aten.conv_tbc, torch.ops.aten.convolution_overrideable, torch.ops.aten._convolution,
#       torch.ops.aten.convolution_backward, torch.ops.aten.mkldnn_convolution, torch.ops.aten.thnn_conv2d,
#       torch.ops.aten._slow_conv2d_forward, torch.ops.aten.slow_conv3d, torch.ops.aten.slow_conv3d_forward,
#       torch.ops.aten.slow_conv_dilated2d, torch.ops.aten.slow_conv_dilated3d,
#       torch.ops.aten.slow_conv_transpose2d, torch.ops.aten.slow_conv_transpose3d]
#     functions:
#       convolve1d: {points: 40}
#       correlate1d: {points: 10, needs: [convolve1d]}
#       convolve2d: {points: 25}
#       moving_average: {points: 5}
#       convolution_matrix: {points: 20, needs: [convolve1d]}
# ---

# %% [markdown] name="why"
# # Discrete convolution
#
# A microphone gives a signal $x(t)$, a camera gives a signal $x(u, v)$, and both kinds share two habits. They are
# *local*: a click, a heartbeat or an eyelash lives in a few neighbouring samples. And what they mean is *translation
# equivariant*: a click one second later is the same click, one second later. A perceptron that reads all samples at
# once knows neither. It gives every sample a weight of its own, so what it has learnt about a click at one moment
# says nothing about a click at the next.
#
# Convolution is the weighted sum that does know. It takes a *filter* $g$, a handful of weights, slides it over the
# signal, and multiplies and adds at every position **with the same weights**. The lecture's picture of it: the filter
# $[1\;\,2]$, drawn flipped as $[2\;\,1]$, slides under the signal $[1\;\,2\;\,3\;\,4\;\,5]$.
#
# ```
#   x   1   2   3   4   5
#       2   1                 2·1 + 1·2 =  4
#           2   1             2·2 + 1·3 =  7
#               2   1         2·3 + 1·4 = 10
#                   2   1     2·4 + 1·5 = 13
# ```
#
# In this assignment you build this machine with NumPy, for signals and for pictures. Everything called
# "convolutional" later in the course is made of it.

# %% [markdown] name="formula"
# ## The formula
#
# $$ (x * g)(t) = \sum_{\tau} x(t - \tau)\, g(\tau) $$
#
# For a signal of $T$ samples $x[0], \dots, x[T-1]$ and a filter of $k$ taps $g[0], \dots, g[k-1]$ this reads
#
# $$ y[n] = \sum_{\tau=0}^{k-1} x[n - \tau]\, g[\tau], \qquad n = 0, \dots, T + k - 2, $$
#
# where a sample that does not exist counts as zero. Three things to see in it before you write any code:
#
# - **Local.** $y[n]$ depends on $k$ samples only, however long the signal is.
# - **Translation equivariant.** $n$ appears nowhere but in the index of $x$: shift $x$, and $y$ shifts alike.
# - **Linear.** Twice the signal gives twice the output; the sum of two signals gives the sum of their outputs.

# %% [markdown] name="how-to-work"
# ## How to work
#
# Fill in the functions from top to bottom; each takes the place of a `raise NotImplementedError`. Stars tell how hard
# one is (★ to ★★★), minutes about how long it takes. Then run the demonstration below it and look at what you have
# made.
#
# - Signals, filters and pictures come as NumPy arrays, lists or tuples. What you return may be any of these too.
# - A loop is a right answer. Make it right first, and fast (if you like) afterwards.
# - Please build the sums yourself: `numpy.convolve`, `numpy.correlate`, `numpy.polymul`, SciPy and PyTorch's
#   convolutions may not be called. `numpy.fft` may.
# - Leave the inputs as you found them: the caller may still need them.
# - Where a docstring names a `ValueError`, raise one; the message is yours to word.

# %% name="imports"
import numpy as np

# %% name="demo-tools" tags=["active-ipynb"]
# import contextlib
#
# import matplotlib.pyplot as plt
#
#
# @contextlib.contextmanager
# def demonstration():
#     """Run a demonstration, or say what it is still waiting for."""
#     try:
#         yield
#     except NotImplementedError as unfinished:
#         print(f"Finish {unfinished} first, then run this cell again.")
#     except ImportError as missing:
#         print(f"This picture needs {missing.name}: run %pip install scikit-learn, then this cell again.")

# %% [markdown] name="about-convolve1d"
# ## `convolve1d`: the sliding sum
#
# ★★ · about 30 minutes
#
# The formula above, for a signal $x$ of length $T$ and a filter $g$ of length $k$. Near its ends the signal runs out
# under the filter, and there are three customs for which outputs to keep:
#
# | `mode` | keeps | length | lecture's example |
# | --- | --- | --- | --- |
# | `"full"` | every output that any sample touches | $T + k - 1$ | 1 4 7 10 13 10 |
# | `"valid"` | the outputs for which $g$ lies wholly inside $x$ | $T - k + 1$ | 4 7 10 13 |
# | `"same"` | as many outputs as $x$ has samples, out of the middle of the full ones | $T$ | 1 4 7 10 13 |
#
# "The middle" is exact: "same" starts at output $\lfloor (k - 1) / 2 \rfloor$ of the full ones. By hand,
# $x = [3, 1, 4, 1]$ and $g = [1, 0, 2]$:
#
# $$ y[3] = x[3]\,g[0] + x[2]\,g[1] + x[1]\,g[2] = 1 \cdot 1 + 4 \cdot 0 + 1 \cdot 2 = 3, $$
#
# and all of them are $[3, 1, 10, 3, 8, 2]$ in "full", $[1, 10, 3, 8]$ in "same" and $[10, 3]$ in "valid".
#
# **Traps**
# - Watch the sign in $x[n - \tau]$: time runs backwards in one of the two. Try a filter that is not symmetric; a
#   symmetric one forgives this mistake, and then you have not seen it.
# - A filter with an even number of taps has no middle tap. Look again at where "same" starts.
# - One sample, one tap, a filter as long as the signal: all fine. A filter *longer* than the signal is fine in one
#   mode only.
# - A signal of whole numbers under a filter of fractions gives fractions.
#
# > **Where the slide slips.** In the worked example the second output is right when it first appears, and turns from
# > 7 into 5 on the later frames. It is 7: $2 \cdot 2 + 1 \cdot 3$. If your code says 7, trust your code.
#
# > **Where the slide slips.** The slide gives the convolved signal a length of $T - k$. Count in the picture above: a
# > filter of 2 taps fits under 5 samples in 4 places. A filter of $k$ taps has $T - k + 1$ of them.


# %% name="convolve1d"
def convolve1d(x, g, mode="valid"):
    """Convolve the signal x with the filter g.

    y[n] = Σ_τ x[n - τ] g[τ], where samples outside x count as zero.

    Args:
        x: signal, shape (T,), real numbers.
        g: filter, shape (k,), real numbers.
        mode: which outputs to return, "valid", "full" or "same".

    Returns:
        Array of real numbers: shape (T - k + 1,) for "valid", the outputs for which g lies wholly inside x;
        (T + k - 1,) for "full", all of them; (T,) for "same", those from full[(k - 1) // 2] on.

    Raises:
        ValueError: x or g is empty or not one-dimensional, g is longer than x (in "valid" and "same"), or the mode is
            none of the three.

    Source: lecture "Convolution", part 3, Convolution.

    Example:
        >>> convolve1d([1, 2, 3, 4, 5], [1, 2])
        array([ 4.,  7., 10., 13.])
    """
    x, g = np.asarray(x, dtype=float), np.asarray(g, dtype=float)
    ### BEGIN SOLUTION
    T, k = x.size, g.size
    centre = (k - 1) // 2
    zeros = {"same": (k - 1 - centre, centre), "full": (k - 1, k - 1)}  # before x, after x
    if mode != "valid" and mode not in zeros:
        raise ValueError(f"mode must be valid, same or full, not {mode!r}")
    if x.ndim != 1 or g.ndim != 1 or T == 0 or k == 0:
        raise ValueError(f"x and g must be signals of at least one sample, not {x.shape} and {g.shape}")
    if k > T and mode != "full":
        raise ValueError(f"a filter of {k} taps does not fit into {T} samples")
    if mode in zeros:
        x = np.pad(x, zeros[mode])
    windows = np.lib.stride_tricks.sliding_window_view(x, k)  # (outputs, k), and no copy
    flipped = np.flip(g).copy()  # a reversed view would do, at a quarter of the speed
    return np.vecdot(windows, flipped)
    ### END SOLUTION


# %% name="demo-modes" tags=["active-ipynb"]
# with demonstration():
#     for mode in ("full", "valid", "same"):
#         print(f"{mode:>5}:", *np.asarray(convolve1d([1, 2, 3, 4, 5], [1, 2], mode)))

# %% [markdown] name="about-correlate1d"
# ## `correlate1d`: the same without the flip
#
# ★ · about 5 minutes
#
# Slide the weights over the signal as they are, and multiply and add. This is *cross-correlation*: large where the
# signal looks like $w$, so it is how one searches a recording for a known click. By hand, $x = [1, 2, 3, 4, 5]$ and
# $w = [1, 2]$: the first output is $1 \cdot 1 + 2 \cdot 2 = 5$, and all of them are $[5, 8, 11, 14]$.
#
# **Traps**
# - It has one mode, "valid", and the same errors as there.
# - You have just written a function that does nearly this. What would have to happen to $w$ first?
#
# > **Where the slide slips.** The slides, like every framework, call `Conv2d` a convolution. What PyTorch computes
# > there is this one, without the flip. A network does not mind, because it learns its weights either way round; a
# > grader does.


# %% name="correlate1d"
def correlate1d(x, w):
    """Cross-correlate the signal x with the weights w: no flip, "valid" outputs only.

    y[n] = Σ_i x[n + i] w[i]

    Args:
        x: signal, shape (T,), real numbers.
        w: weights, shape (k,), real numbers.

    Returns:
        Array of real numbers, shape (T - k + 1,).

    Raises:
        ValueError: x or w is empty or not one-dimensional, or w is longer than x.

    Source: lecture "Convolution", part 4, Convolutional networks: one small perceptron applied to every window.

    Example:
        >>> correlate1d([1, 2, 3, 4, 5], [1, 2])
        array([ 5.,  8., 11., 14.])
    """
    x, w = np.asarray(x, dtype=float), np.asarray(w, dtype=float)
    ### BEGIN SOLUTION
    return convolve1d(x, np.flip(w))  # convolution flips once more, and two flips are none
    ### END SOLUTION


# %% [markdown] name="about-convolve2d"
# ## `convolve2d`: pictures
#
# ★★ · about 20 minutes
#
# A grey picture is a signal of two variables, $x(u, v) \in [0, 1]$, stored as an array of $H$ rows and $W$ columns. A
# filter of $k_h$ rows and $k_w$ columns slides over it in both directions:
#
# $$ y[i, j] = \sum_{u=0}^{k_h - 1} \sum_{v=0}^{k_w - 1} x[i + k_h - 1 - u,\; j + k_w - 1 - v]\; g[u, v], $$
#
# for every place at which the filter lies wholly inside the picture. By hand:
#
# $$
# \begin{bmatrix} 1 & 2 & 0 \\ 0 & 1 & 3 \\ 2 & 0 & 4 \end{bmatrix} *
# \begin{bmatrix} 1 & 2 \\ 0 & -1 \end{bmatrix} =
# \begin{bmatrix} 0 & 3 \\ 4 & 3 \end{bmatrix},
# \qquad \text{for instance}\quad y[0, 1] = 3 \cdot 1 + 1 \cdot 2 + 0 \cdot 0 + 2 \cdot (-1) = 3.
# $$
#
# **Traps**
# - There are two sums, so there are two minus signs, and two flips. Transposing is neither of them, and a quarter
#   turn is not half a turn.
# - Rows come first: shapes are (height, width). Square pictures and square filters hide it when you mix them up.
# - The lecture's filter $[[1, 0], [0, 1]]$ looks the same after the flips, so it cannot show you whether you did
#   them.
#
# > **Where the slide slips.** The text says that a filter has "height k + 1, width k", and the output is drawn with
# > height $h - k$ and width $w - k$. A filter of size $k$ is $k \times k$, and it fits at $h - k + 1$ heights and
# > $w - k + 1$ widths.


# %% name="convolve2d"
def convolve2d(x, g):
    """Convolve the picture x with the filter g, "valid" outputs only.

    y[i, j] = Σ_u Σ_v x[i + kh - 1 - u, j + kw - 1 - v] g[u, v]

    Args:
        x: picture, shape (H, W), real numbers.
        g: filter, shape (kh, kw), real numbers.

    Returns:
        Array of real numbers, shape (H - kh + 1, W - kw + 1).

    Raises:
        ValueError: x or g is empty or not two-dimensional, or g is higher or wider than x.

    Source: lecture "Convolution", part 5, More dimensions.

    Example:
        >>> convolve2d([[1, 2, 0], [0, 1, 3], [2, 0, 4]], [[1, 2], [0, -1]])
        array([[0., 3.],
               [4., 3.]])
    """
    x, g = np.asarray(x, dtype=float), np.asarray(g, dtype=float)
    ### BEGIN SOLUTION
    if x.ndim != 2 or g.ndim != 2 or x.size == 0 or g.size == 0:
        raise ValueError(f"x and g must be pictures of at least one pixel, not {x.shape} and {g.shape}")
    if g.shape[0] > x.shape[0] or g.shape[1] > x.shape[1]:
        raise ValueError(f"a filter of shape {g.shape} does not fit into a picture of shape {x.shape}")
    windows = np.lib.stride_tricks.sliding_window_view(x, g.shape)  # (H - kh + 1, W - kw + 1, kh, kw)
    return np.einsum("ijuv,uv->ij", windows, np.flip(g))  # without an axis, flip turns both axes round
    ### END SOLUTION


# %% [markdown] name="about-demo-picture"
# **A small picture.** Eight rows of eight binary pixels, in the spirit of the lecture's, under the lecture's filter
# $[[1, 0], [0, 1]]$. It adds a pixel and its neighbour below on the right, so it answers 2 along the strokes that
# fall to the right, and never more than 1 along those that rise.
#
# *The left panel shows the outline of a diamond, ones on a ground of zeros; in the right panel, seven by seven
# numbers, two of its four sides stand out in yellow with the value 2, the upper right and the lower left one.*

# %% name="demo-picture" tags=["active-ipynb"]
# diamond = np.zeros((8, 8), dtype=int)
# for row, columns in enumerate([(3, 4), (2, 5), (1, 6), (0, 7), (0, 7), (1, 6), (2, 5), (3, 4)]):
#     diamond[row, list(columns)] = 1
#
# with demonstration():
#     answer = np.asarray(convolve2d(diamond, [[1, 0], [0, 1]]))
#     figure, panels = plt.subplots(1, 2, figsize=(9, 4.4), layout="constrained")
#     for panel, picture, title in zip(
#         panels, (diamond, answer), ("picture x, 8 by 8", "x * g, 7 by 7"), strict=True
#     ):
#         panel.imshow(picture, cmap="cividis", vmin=0, vmax=2)
#         panel.set(title=title, xlabel="column", ylabel="row")
#         for (i, j), value in np.ndenumerate(picture):
#             panel.text(j, i, f"{value:.0f}", ha="center", va="center", color="black" if value > 0 else "white")
#     plt.show()

# %% [markdown] name="about-demo-photograph"
# **A photograph.** A neighbour minus a neighbour is zero where a picture is even and far from zero at an edge. The
# filter $[[1, -1]]$ compares each pixel with the one on its left, the same filter stood upright compares it with the
# one above.
#
# *Three panels show an old Chinese tower in grey, then its upright edges (columns, window frames, the rows of tiles),
# then its level edges (eaves, railings); on the edge pictures no change is white, a step to something lighter is
# purple and a step to something darker is orange.*

# %% name="demo-photograph" tags=["active-ipynb"]
# with demonstration():
#     from sklearn.datasets import load_sample_image
#
#     photograph = load_sample_image("china.jpg")[:320, 60:400].mean(axis=-1) / 255  # the tower, in grey
#     upright = np.asarray(convolve2d(photograph, [[1, -1]]))
#     level = np.asarray(convolve2d(photograph, [[1], [-1]]))
#     figure, panels = plt.subplots(1, 3, figsize=(13, 4.4), layout="constrained")
#     panels[0].imshow(photograph, cmap="gray", vmin=0, vmax=1)
#     panels[1].imshow(upright, cmap="PuOr", vmin=-0.6, vmax=0.6)
#     panels[2].imshow(level, cmap="PuOr", vmin=-0.6, vmax=0.6)
#     for panel, title in zip(panels, ("photograph", "upright edges", "level edges"), strict=True):
#         panel.set(title=title, xticks=[], yticks=[])
#     plt.show()

# %% [markdown] name="about-moving-average"
# ## `moving_average`: the simplest low-pass filter
#
# ★ · about 5 minutes
#
# Noise jumps up and down from one sample to the next; what we want to hear changes slowly. A filter that averages
# neighbours lets the slow part pass and cancels much of the quick part, which is why it is called *low-pass*. This
# function returns the filter, not the filtered signal. By hand, $k = 4$ gives $[0.25, 0.25, 0.25, 0.25]$.
#
# **Trap**
# - An average of equal numbers is that number. Put a constant signal through your filter: does it come out as loud as
#   it went in?


# %% name="moving_average"
def moving_average(k):
    """Return the low-pass filter with k equal taps that sum to 1.

    Args:
        k: number of taps, an integer.

    Returns:
        Array of real numbers, shape (k,).

    Raises:
        ValueError: k < 1.

    Source: lecture "Convolution", part 3: a low-pass filter removes noise.

    Example:
        >>> moving_average(4)
        array([0.25, 0.25, 0.25, 0.25])
    """
    ### BEGIN SOLUTION
    if k < 1:
        raise ValueError(f"a filter has at least one tap, not {k}")
    return np.full(k, 1 / k)
    ### END SOLUTION


# %% [markdown] name="about-demo-low-pass"
# **A noisy signal and its low-pass filter.** Two slow waves under noise, and what a moving average of 25 taps makes
# of them. "valid" returns $T - k + 1$ outputs, so the smooth curve begins and ends half a filter inside the noisy
# one.
#
# *The plot shows a jagged grey line, the true slow wave as a dashed orange line, and the filtered signal as a solid
# blue line that follows the dashed one closely.*

# %% name="demo-low-pass" tags=["active-ipynb"]
# with demonstration():
#     k = 25
#     t = np.arange(0, 8, 0.02)  # seconds
#     clean = np.sin(2 * np.pi * 0.25 * t) + 0.5 * np.sin(2 * np.pi * 0.4 * t)
#     noisy = clean + np.random.default_rng(7026).normal(scale=0.5, size=t.size)
#     smooth = np.asarray(convolve1d(noisy, moving_average(k)))
#     figure, panel = plt.subplots(figsize=(10, 3.6), layout="constrained")
#     panel.plot(t, noisy, color="#888888", linewidth=0.8, label="noisy signal x")
#     panel.plot(t, clean, color="#D55E00", linestyle="--", label="what the noise hides")
#     panel.plot(t[k // 2 : k // 2 + smooth.size], smooth, color="#0072B2", linewidth=2, label=f"x * g, {k} equal taps")
#     panel.set(xlabel="time t in seconds", ylabel="amplitude", title="A low-pass filter removes noise")
#     panel.legend(loc="lower left")
#     plt.show()

# %% [markdown] name="about-convolution-matrix"
# ## `convolution_matrix`: convolution is a linear layer
#
# ★★★ · about 20 minutes
#
# Convolution is linear, and every linear map from $T$ numbers to $T - k + 1$ numbers is a matrix: there is one matrix
# $A$ with $A\,x = x * g$ ("valid") for *every* signal $x$. So a convolution layer is a perceptron layer after all,
# one in which most weights are zero and the others repeat. By hand, $g = [1, 2]$ and $T = 5$:
#
# $$
# \begin{bmatrix} 2 & 1 & 0 & 0 & 0 \\ 0 & 2 & 1 & 0 & 0 \\ 0 & 0 & 2 & 1 & 0 \\ 0 & 0 & 0 & 2 & 1 \end{bmatrix}
# \begin{bmatrix} 1 \\ 2 \\ 3 \\ 4 \\ 5 \end{bmatrix} =
# \begin{bmatrix} 4 \\ 7 \\ 10 \\ 13 \end{bmatrix}
# $$
#
# Locality is the band: outside it everything is zero. Translation equivariance is the sameness along it: each row is
# the row above, moved by one. Of $T\,(T - k + 1)$ weights, $k$ are left to learn.
#
# **Traps**
# - One row for each output, one column for each sample.
# - There are two good ways to think of it: what does one row do to the signal, and what does the matrix do to a
#   signal that is 1 in one place and 0 elsewhere?


# %% name="convolution_matrix"
def convolution_matrix(g, T):
    """Return the matrix A with A @ x == convolve1d(x, g) for every signal x of T samples.

    Args:
        g: filter, shape (k,), real numbers.
        T: number of samples of the signals, an integer.

    Returns:
        Array of real numbers, shape (T - k + 1, T).

    Raises:
        ValueError: g is empty or not one-dimensional, or has more than T taps.

    Source: lecture "Convolution", part 3: convolution is linear, a weighted sum with weights used again.

    Example:
        >>> convolution_matrix([1, 2], 3)
        array([[2., 1., 0.],
               [0., 2., 1.]])
    """
    g = np.asarray(g, dtype=float)
    ### BEGIN SOLUTION
    if g.ndim != 1 or not 1 <= g.size <= T:
        raise ValueError(f"a filter of shape {g.shape} does not fit into {T} samples")
    # Column τ of any matrix is its answer to the signal that is 1 at τ and 0 elsewhere.
    return np.stack([convolve1d(pulse, g) for pulse in np.eye(T)], axis=1)
    ### END SOLUTION


# %% [markdown] name="about-demo-matrix"
# **What it looks like.** The matrix of a filter of 7 taps for signals of 32 samples, beside the weights that a
# perceptron would have in its place.
#
# *In the left panel only a narrow diagonal band has colour, the same seven colours in every row; the right panel is
# filled with random colours everywhere.*

# %% name="demo-matrix" tags=["active-ipynb"]
# with demonstration():
#     A = np.asarray(convolution_matrix([1, 2, 4, 6, -5, -3, -1], 32))
#     dense = np.random.default_rng(7026).uniform(-6, 6, size=A.shape)
#     figure, panels = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
#     for panel, weights, title in zip(
#         panels, (A, dense), ("convolution: 7 weights", f"perceptron layer: {A.size} weights"), strict=True
#     ):
#         image = panel.imshow(weights, cmap="PuOr", vmin=-6, vmax=6)
#         panel.set(title=title, xlabel="sample of x", ylabel="output")
#     figure.colorbar(image, ax=panels, label="weight")
#     plt.show()

# %% [markdown] name="about-equivariance-gap"
# ## Practice without points: `equivariance_gap`
#
# ★★ · about 10 minutes
#
# *Shift the input, and the output shifts alike.* Write $S_s$ for the shift by $s$ samples, $(S_s\,x)[n] = x[n - s]$.
# A function $f$ of signals is translation equivariant when $f(S_s\,x) = S_s\,f(x)$ for every $x$ and $s$. This
# function measures how far that is from true: the largest difference between the two sides.
#
# A signal that we hold in an array has ends, and they need care. If we pushed $x$ to the right inside its own frame,
# its last samples would fall out, and we would compare two different signals. So give it room: $s$ zeros of silence.
#
# - **late**: $s$ zeros, then $x$. This is $x$, shifted by $s$.
# - **early**: $x$, then $s$ zeros. The same $x$ not yet shifted, in a frame of the same $T + s$ samples.
#
# Let $f$ work on both. If it is equivariant, the output that *early* has at position $n$ is found again in *late* at
# position $n + s$. Compare all the positions for which both exist: the first $s$ outputs of *late* and the last $s$
# of *early* have no partner. By hand, $x = [3, 1, 4]$, $s = 2$:
#
# | $f$ | $f(\text{early})$ | $f(\text{late})$ | compared | gap |
# | --- | --- | --- | --- | --- |
# | `convolve1d` with $[1, 2]$ | 7 6 8 0 | 0 3 7 6 | 7 6 with 7 6 | 0 |
# | a weight per sample, $n + 1$ | 3 2 12 0 0 | 0 0 9 4 20 | 3 2 12 with 9 4 20 | 8 |
#
# With this definition zeros beyond the ends do no harm, because they continue the silence: a convolution has a gap of
# 0 (up to rounding) in all three modes. What is left is what $f$ itself does differently in different places.


# %% name="equivariance_gap"
def equivariance_gap(f, x, shift):
    """Measure how far f is from translation equivariance: 0 where shifting the input just shifts the output.

    gap = max_n |f(late)[n + shift] - f(early)[n]|, where late is `shift` zeros and then x, early is x and then `shift`
    zeros, and n runs over all positions that both outputs have.

    Args:
        f: a function from a signal of any length, shape (N,), to a signal; one output per step of the input.
        x: signal, shape (T,), real numbers.
        shift: number of samples to shift by, an integer, 0 or more.

    Returns:
        The largest difference, a Python float.

    Raises:
        ValueError: shift < 0, or f returns `shift` outputs or fewer, so that no position is left to compare.

    Source: lecture "Convolution", part 2, Signal processing.

    Example:
        >>> equivariance_gap(lambda signal: signal * (np.arange(signal.size) + 1), [3, 1, 4], shift=2)
        8.0
    """
    x = np.asarray(x, dtype=float)
    ### BEGIN SOLUTION
    if shift < 0:
        raise ValueError(f"shift must be 0 or more, not {shift}")
    silence = np.zeros(shift)
    late = np.asarray(f(np.concatenate([silence, x])))
    early = np.asarray(f(np.concatenate([x, silence])))
    partners = late.size - shift
    if partners < 1:
        raise ValueError(f"{late.size} outputs leave nothing to compare after a shift of {shift}")
    return float(np.max(np.abs(late[shift:] - early[:partners])))
    ### END SOLUTION


# %% [markdown] name="about-demo-equivariance"
# **Shift the input, and the output shifts alike.** A signal with two bumps goes through a convolution and through a
# perceptron layer with a weight for every sample, once early and once 20 samples later.
#
# *Three panels, one below the other, each with a solid blue early curve and a dashed orange late curve: in the first,
# the input, and in the second, its convolution, the orange curve is the blue one moved to the right; in the third,
# the perceptron layer, the two have nothing in common.*

# %% name="demo-equivariance" tags=["active-ipynb"]
# with demonstration():
#     rng = np.random.default_rng(7026)
#     shift, g = 20, rng.normal(size=9)
#     n = np.arange(80)
#     x = np.exp(-(((n - 25) / 4) ** 2)) - 0.6 * np.exp(-(((n - 45) / 2) ** 2))
#     weights = rng.normal(size=(n.size + shift, n.size + shift)) / 4
#
#     def convolution(signal):
#         return np.asarray(convolve1d(signal, g, "same"))
#
#     def perceptron_layer(signal):
#         return weights[: signal.size, : signal.size] @ signal
#
#     early, late = np.concatenate([x, np.zeros(shift)]), np.concatenate([np.zeros(shift), x])
#     rows = [("input", early, late)]
#     for title, f in (("convolution", convolution), ("perceptron layer", perceptron_layer)):
#         rows.append((f"{title}: gap {equivariance_gap(f, x, shift):.1g}", f(early), f(late)))
#     figure, panels = plt.subplots(3, 1, figsize=(10, 6.5), sharex=True, layout="constrained")
#     for panel, (title, of_early, of_late) in zip(panels, rows, strict=True):
#         panel.plot(of_early, color="#0072B2", label="early")
#         panel.plot(of_late, color="#D55E00", linestyle="--", label=f"late by {shift} samples")
#         panel.set(title=title, ylabel="amplitude")
#     panels[0].legend(loc="upper right")
#     panels[-1].set_xlabel("sample n")
#     plt.show()

# %% [markdown] name="going-further"
# ## Going further
#
# - **Which of the two is the filter?** In "full" mode, compare $x * g$ with $g * x$. Then look for the same in
#   `correlate1d`.
# - **Two filters in a row** are one filter: $(x * g) * h = x * (g * h)$. What does a moving average of a moving
#   average look like, and what does it become after ten rounds?
# - **Multiplying numbers is convolution.** Convolve the digits of 123 with those of 45 in "full" mode, and carry the
#   tens. Multiplying polynomials is the same without the carrying.
# - **Convolution by Fourier.** `numpy.fft` turns a convolution into a product. How many zeros must you append so that
#   the end of the signal does not leak into its beginning? From which filter length on is it faster than your sliding
#   sum?
# - **Filters that factor.** Some pictures' filters are a column times a row, such as
#   $[[1, 2, 1], [0, 0, 0], [-1, -2, -1]]$. How many multiplications per pixel does that save for a filter of
#   $k \times k$?
# - **Other things than convolutions that are equivariant.** Try `equivariance_gap` with the leaky ReLU, with the
#   running maximum of three neighbours, with `x - x.mean()`, and with a convolution that returns only every second
#   output.
