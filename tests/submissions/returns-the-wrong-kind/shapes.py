def conv_output_length(length, kernel_size, stride=1, padding=0, dilation=1):
    return (length + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1  # a float


def conv2d_output_shape(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    return f"({out_channels}, ?, ?)"  # a text


def pool2d_output_shape(input_shape, kernel_size, stride=None, padding=0):
    print(input_shape)  # and nothing is returned


def same_padding(kernel_size, dilation=1):
    yield dilation * (kernel_size - 1) // 2  # a generator


def receptive_field(layers):
    return len(layers) > 0  # a bool


class Shape:
    def __init__(self, *entries):
        self.entries = entries


def network_output_shape(input_shape, layers):
    return Shape(*input_shape)  # an object of my own
