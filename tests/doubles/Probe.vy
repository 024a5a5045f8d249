# pragma version 0.4.3
# pragma optimize gas
"""
@title Probe
@notice Gives the chain layer's tests one of everything that its codecs must carry: structs,
        overloads by default arguments, events, reason strings, panics and payable functions.
"""


struct Point:
    x: int256
    y: int256
    label: String[32]


event Moved:
    who: indexed(address)
    point: Point
    note: indexed(String[32])


event Counted:
    count: uint256


count: public(uint256)
point: public(Point)
owner: public(immutable(address))
seen: public(HashMap[address, uint256])


@deploy
@payable
def __init__(start: uint256):
    assert start < 1000, "probe: start"
    owner = msg.sender
    self.count = start


@external
@payable
def add(amount: uint256, note: String[32] = "none") -> uint256:
    assert amount > 0, "probe: amount"
    self.count += amount
    self.seen[msg.sender] += msg.value
    log Counted(count=self.count)
    return self.count


@external
def move(point: Point, note: String[32]):
    self.point = point
    log Moved(who=msg.sender, point=point, note=note)
    log Counted(count=self.count)


@external
def underflow(amount: uint256):
    self.count -= amount


@external
def silent():
    assert self.count == max_value(uint256)


@external
def unreachable():
    raise UNREACHABLE


@external
def raw(data: Bytes[132]):
    raw_revert(data)


@external
def burn():
    for i: uint256 in range(1_000_000_000):
        self.count = i


@external
@view
def several() -> (uint256, address, bytes32, DynArray[Point, 2]):
    return (
        1, self, keccak256("probe"), [self.point, Point(x=-1, y=max_value(int256), label="edge")]
    )


@external
@view
def time() -> uint256:
    return block.timestamp


@external
@view
def height() -> uint256:
    return block.number


@external
@pure
def echo(
    a: address, b: bool, c: bytes4, d: Bytes[64], e: int128, f: uint8[3], g: DynArray[address, 4]
) -> (address, bool, bytes4, Bytes[64], int128, uint8[3], DynArray[address, 4]):
    return a, b, c, d, e, f, g


@external
@view
def viewed_revert():
    raise "probe: viewed"
