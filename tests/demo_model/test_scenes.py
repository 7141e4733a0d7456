import random
from collections import Counter

from demo_model.scenes import (
    MOTIONS,
    STYLES,
    Scene,
    caption,
    held_out_scenes,
    known_words,
    random_scene,
)


def test_what_the_score_asks_never_occurs_in_training() -> None:
    chance = random.Random(0)
    trained = {(s.colour, s.shape, s.motion) for s in (random_scene(chance) for _ in range(4_000))}
    asked = {(s.colour, s.shape, s.motion) for s in held_out_scenes()}
    assert len(trained) > 200
    assert trained.isdisjoint(asked)


def test_cyan_stars_and_spinning_yellow_squares_are_held_out() -> None:
    plain = {"size": "big", "background": "black", "style": "flat"}
    assert Scene(colour="cyan", shape="star", motion="grows", **plain).is_held_out
    assert Scene(colour="yellow", shape="square", motion="spins", **plain).is_held_out
    assert not Scene(colour="red", shape="star", motion="grows", **plain).is_held_out


def test_the_score_asks_the_same_sixty_prompts_every_time() -> None:
    asked = held_out_scenes()
    assert asked == held_out_scenes()
    assert len({scene.prompt for scene in asked}) == 60
    assert Counter(scene.motion for scene in asked) == dict.fromkeys(MOTIONS, 6)
    assert {scene.style for scene in asked} == set(STYLES)
    assert min(Counter(scene.shape for scene in asked).values()) >= 10


def test_every_word_of_a_caption_is_among_the_known_ones() -> None:
    chance, known = random.Random(1), set(known_words())
    for _ in range(2_000):
        scene = random_scene(chance)
        for text in (caption(scene, chance), caption(scene, chance, named=False), scene.prompt):
            assert set(text.replace(",", "").split()) <= known, text


def test_nothing_is_drawn_that_cannot_be_seen() -> None:
    chance = random.Random(2)
    for _ in range(500):
        scene = random_scene(chance)
        assert (scene.shape, scene.motion) != ("circle", "spins")
        assert (scene.colour, scene.background) not in {("yellow", "cream"), ("white", "cream")}
