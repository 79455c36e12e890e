"""The lexicon of the stories: names, kinds, places, things. Fill-ins only, no plot."""

GIRLS = """Lily Mia Anna Rosa Emma Nora Ella Ruby Clara Lucy Zoe Ivy Hana Maya Tess Nina Amy Eva
June Molly Sara Wendy Daisy Bella""".split()
BOYS = """Tom Ben Max Leo Sam Finn Jack Oscar Noah Theo Hugo Adam Luke Owen Eli Paul Ravi Omar Kai
Tim Peter Felix Ned Will""".split()
PETS = """Pip Coco Bramble Dot Fluff Nutmeg Pepper Willow Biscuit Hazel Clover Moss Tilly Rusty
Pebble Sunny Button Ginger""".split()

ANIMAL_KINDS = """fox rabbit bear mouse cat dog owl duck frog squirrel hedgehog turtle beaver badger
deer otter""".split()

ADJECTIVES = """little young kind curious brave quiet cheerful clever gentle shy friendly
playful""".split()

# Written to follow "lived".
HOMES = [
    "in a small house by the sea", "in a village near the mountains", "in a cottage at the edge of the forest",
    "in a tall house in the town", "on a farm with a green gate", "near a wide river",
    "in a valley full of flowers", "on a hill above the lake", "beside an old stone bridge",
    "in a cosy home under a big oak tree",
]
# Written to follow "to".
PLACES = [
    "the forest", "the park", "the beach", "the river", "the hill", "the meadow", "the old mill",
    "the lake", "the garden", "the orchard", "the village green", "the pond",
]
# Written to follow "looked".
SPOTS = [
    "under the bed", "behind the door", "in the tall grass", "under the bench", "behind the big rock",
    "in the basket", "near the well", "under the apple tree", "beside the path", "behind the fence",
    "in the shed", "next to the gate",
]
COLOURS = "red blue green yellow white brown silver golden purple orange".split()
TOYS = "ball kite drum scarf hat boat doll whistle lantern book bell key ring cup flute".split()
CRAFTS = ["kite", "boat", "bird house", "swing", "raft", "little bridge", "tree house", "sledge", "wagon", "snow fort"]
CRAFT_STUFF = ["wood", "string", "paper", "rope", "old boards", "sticks", "cloth", "nails"]
FOODS = ["apple pie", "honey cake", "warm bread", "vegetable soup", "berry jam", "pancakes", "plum cake", "nut cookies"]
TREATS = ["an apple", "a pear", "a bun", "a cookie", "a plum", "a piece of cake", "a slice of bread", "a bag of nuts"]
SMALL_ANIMALS = ["bird", "kitten", "puppy", "lamb", "duckling", "butterfly", "bee", "snail"]
PLANTS = ["sunflower", "pumpkin", "apple tree", "rose", "bean plant", "tomato plant", "lemon tree", "tulip"]
FEARS = ["the dark", "deep water", "thunder", "high places", "loud noises", "the old bridge", "big dogs", "singing in front of others"]
GAMES = ["hide and seek", "catch", "chess", "tag", "jumping over puddles", "skipping stones", "counting clouds", "marbles"]
RACES = ["the running race", "the swimming race", "the drawing contest", "the singing contest", "the baking contest", "the boat race"]
BREAKABLES = ["vase", "cup", "window", "lamp", "plate", "clock", "mirror", "flower pot"]
ELDERS = {"mother": "she", "father": "he", "grandmother": "she", "grandfather": "he", "aunt": "she", "uncle": "he"}
WEATHER = ["sunny", "windy", "cloudy", "warm", "cold", "bright", "misty", "rainy"]
SEASONS = ["spring", "summer", "autumn", "winter"]
