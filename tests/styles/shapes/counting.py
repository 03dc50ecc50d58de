"""Nothing is calculated that can be counted: windows are laid down one by one, and fields are traced by hand."""


def conv_output_length(length, kernel_size, stride=1, padding=0, dilation=1):
    for smallest, setting in ((1, length), (1, kernel_size), (1, stride), (1, dilation), (0, padding)):
        if setting < smallest:
            raise ValueError(setting)
    padded = 0
    for _ in range(padding):
        padded += 1
    for _ in range(length):
        padded += 1
    for _ in range(padding):
        padded += 1
    last_tap = 0
    for _ in range(1, kernel_size):
        last_tap += dilation
    windows = 0
    while last_tap < padded:
        windows += 1
        last_tap += stride
    if windows == 0:
        raise ValueError("no window fits")
    return windows


def conv2d_output_shape(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    answer = []
    for axis, length in enumerate(input_shape):
        from_the_end = len(input_shape) - axis
        if from_the_end == 4:
            answer.append(length)
        elif from_the_end == 3:
            answer.append(out_channels)
        else:
            own = []
            for setting in (kernel_size, stride, padding, dilation):
                try:
                    own.append(setting[-from_the_end])
                except TypeError:
                    own.append(setting)
            answer.append(conv_output_length(length, own[0], own[1], own[2], own[3]))
    return tuple(answer)


def pool2d_output_shape(input_shape, kernel_size, stride=None, padding=0):
    if stride is None:
        stride = kernel_size
    answer = list(input_shape)
    for axis in (-2, -1):
        window = kernel_size if type(kernel_size) is int else kernel_size[axis]
        step = stride if type(stride) is int else stride[axis]
        border = padding if type(padding) is int else padding[axis]
        if border + border > window:
            raise ValueError("a window could see nothing but padding")
        answer[axis] = conv_output_length(input_shape[axis], window, step, border)
    return tuple(answer)


def same_padding(kernel_size, dilation=1):
    length = 100 + kernel_size * dilation
    padding = 0
    while True:
        output = conv_output_length(length, kernel_size, padding=padding, dilation=dilation)
        if output == length:
            return padding
        if output > length:
            raise ValueError("nothing between too little and too much")
        padding += 1


def receptive_field(layers):
    first, last = 0, 0
    for number in range(len(layers) - 1, -1, -1):
        layer = layers[number]
        dilation = layer[2] if len(layer) == 3 else 1
        first = first * layer[1]
        last = last * layer[1]
        for _ in range(layer[0] - 1):
            last += dilation
    return last - first + 1


def network_output_shape(input_shape, layers):
    shape = input_shape
    for layer in layers:
        kind = layer["kind"]
        if kind == "conv2d":
            shape = conv2d_output_shape(
                shape,
                layer["out_channels"],
                layer["kernel_size"],
                layer.get("stride", 1),
                layer.get("padding", 0),
                layer.get("dilation", 1),
            )
        elif kind == "max_pool2d" or kind == "avg_pool2d":
            shape = pool2d_output_shape(
                shape, layer["kernel_size"], layer.get("stride"), layer.get("padding", 0)
            )
        elif kind == "adaptive_avg_pool2d":
            size = layer["output_size"]
            if isinstance(size, int):
                size = (size, size)
            shape = shape[:-2] + size
        elif kind == "flatten":
            features = 1
            for entry in shape[-3:]:
                features *= entry
            shape = shape[:-3] + (features,)
        elif kind == "linear":
            if len(shape) > 2:
                raise ValueError("flatten first")
            shape = shape[:-1] + (layer["out_features"],)
        elif kind not in ("relu", "leaky_relu", "batch_norm2d"):
            raise ValueError(kind)
    return tuple(shape)
