"""What a server measures of itself."""

from pwb_async.server.measuring import Growth


def test_the_growth_of_a_number_whose_owner_is_replaced() -> None:
    growth, first, second = Growth(), object(), object()
    assert [growth.since(first, number) for number in (3, 3, 10)] == [3, 0, 7]
    assert [growth.since(second, number) for number in (2, 5)] == [2, 3]
