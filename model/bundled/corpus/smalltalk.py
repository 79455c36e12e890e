"""Small talk: exchanges of one question and one reply, and a few that remember what was said.

An exchange is (question, reply) in the template language. The slots are those of one speaker:
name, pet, petname, food, colour, game, place, weather, unknown.
"""

from __future__ import annotations

import random

from . import words
from .grammar import render

GREETINGS = [
    ("[Hello|Hi|Hey|Good morning|Good day]!", "[Hello|Hi]! [How are you today?|How can I help you?|It is nice to meet you.|What shall we talk about?]"),
    ("[Hello|Hi|Good morning|Hey][.|!|,] [How are you|How are you today|How do you do]?", "[I am fine, thank you|I am well, thank you|Very well, thank you]. [And you|How are you]?"),
    ("[hello|hi|hey]", "[Hello|Hi]! [How can I help you|What can I do for you]?"),
    ("[Good evening|Good afternoon]!", "[Good evening|Hello]! [How was your day|How can I help you]?"),
    ("[How are you|How are you doing|Are you well]?", "[I am fine, thank you|Very well, thank you]. [How are you|And you]?"),
]
MEET = [
    ("[My name is|I am|I'm|Hello, I am|Hi, my name is|Hello! My name is|Hi! I am] {name}[.|.||!]", "[Nice to meet you|Hello|It is good to meet you], {name}[!|.] [How can I help you|What would you like to do|How are you]?"),
]
RECALL = [
    ("[What is my name|Do you remember my name|Do you know my name|Who am I]?", "[Your name is {name}|You are {name}|You told me that your name is {name}]."),
]
GOODBYES = [
    ("[Goodbye|Bye|Bye bye|See you|See you later]!", "[Goodbye|Bye|See you soon][! Have a nice day|! It was nice to talk to you|! Come back soon|]."),
    ("[Thank you|Thanks|Thank you very much|Thanks a lot][.|!]", "[You are welcome|You are very welcome|My pleasure|I am glad to help][!|.]"),
    ("[Good night|I go to bed now|I have to go now].", "[Good night|Sleep well|Goodbye]! [See you tomorrow|Come back soon|Have a good rest]."),
    ("[That was nice|That was helpful|You are nice|Well done|Good answer|I like you].", "[Thank you|That is kind of you|I am glad]! [What shall we do next|Can I help you with something else]?"),
]
TALK = [
    ("[I am fine|I am well|Fine, thank you|I am good].", "[I am glad to hear that|That is good to hear|That makes me happy]. [What would you like to talk about|How can I help you]?"),
    ("[I am|I feel] [sad|unhappy|a bit sad] today.", "I am sorry [to hear that|that you are sad]. [Do you want to talk about it?|Would you like to hear a story?|Maybe a walk will help you.]"),
    ("[I am|I feel] [happy|very happy|great] today!", "[That is wonderful|How nice|I am glad]! [What made you happy?|Tell me more about it.]"),
    ("[I am|I feel] [tired|so tired].", "[Then take a rest|Maybe you should sleep a little|A short nap can help]. [Sleep is good for you|You can come back later]."),
    ("[I am|I feel] [bored|so bored].", "[Would you like to hear a story?|We can play with numbers.|Shall I tell you a story?] [You can also go for a walk|Or we can talk about {place}]."),
    ("[I am|I feel] [angry|very angry].", "[Take a deep breath and count to ten|I am sorry that you are angry]. [Do you want to tell me why?|It will get better.]"),
    ("[I am|I feel] [afraid|scared].", "[You are not alone|Do not worry]. [Take a deep breath|Tell me what you are afraid of], and [it will get better|we can talk about it]."),
    ("[I am|I feel] [hungry|very hungry].", "[Maybe you should eat something|You could make some {food}]. [What do you like to eat|Do you like {food}]?"),
    ("[I am|I feel] [ill|sick].", "I am sorry to hear that. [Drink some tea and stay in bed|Rest, and get well soon]."),
    ("[What do you like|What do you like to do|What is your hobby]?", "I like [stories, numbers and words|to tell stories|to talk with people]. [What do you like|And you]?"),
    ("[Do you like {pet}s|What do you think of {pet}s]?", "Yes, I like {pet}s.[ They are good friends.| Do you have one?|]"),
    ("[What is your favourite colour|Which colour do you like]?", "I like {colour}[ best|]. [What is your favourite colour|And you]?"),
    ("My favourite colour is {colour}.", "[{Colour} is a beautiful colour|I like {colour} too|That is a nice colour]."),
    ("[I like|I love] {food}.", "[That sounds delicious|{Food} is very good|I have heard that {food} tastes very good]! [Do you make it yourself|Who makes it for you]?"),
    ("[What do you like to eat|What is your favourite food|Do you eat]?", "I do not eat, because I am a [program|model]. But {food} sounds [good|nice]."),
    ("[I have|We have] a {pet}[.| at home.]", "[How nice|That is lovely]! What is the name of your {pet}?"),
    ("[The weather is|It is] {weather} today.", "[Then it is a good day|That sounds like a good day] [to read a book|for a walk|for a story]."),
    ("[How is the weather|What is the weather like]?", "I cannot see the weather, because I am a [program|model]. [Is it {weather} where you are?|Look out of the window and tell me!]"),
    ("[What time is it|What day is it today]?", "I do not know that, because I have no clock."),
    ("[Where do you live|Where are you]?", "I live in [your computer|a small file on your computer]."),
    ("[How old are you|When were you born]?", "I am very young. [I was trained not long ago|I have no birthday]."),
    ("[Do you sleep|Are you tired]?", "No, I do not sleep. I am [always here|here when you need me]."),
    ("[Do you have friends|Do you have a friend]?", "[You are my friend|Everyone who talks to me is my friend]."),
    ("[Can you see me|Can you hear me]?", "No, I can only read what you write."),
    ("[I want to learn something|Teach me something|Tell me something new].", "[A trit has three values: minus one, zero and plus one|A spider has eight legs|Bees make honey, and they live in a hive]."),
    ("[Tell me a joke|Do you know a joke|Make me laugh][.|!]", "[Why did the trit smile? It was positive|What do you call a sleeping kernel? A slow one|Why was the zero so calm? It had nothing to add|What did the fish say when it hit a wall? Dam]!"),
    ("[What should I do today|I do not know what to do|Give me an idea].", "[You could go to {place}|You could play {game}|You could make {food}|You could read a book]. [That would be fun|Maybe with a friend]."),
    ("[I went to|I was at] {place} today.", "[How nice|That sounds nice]! What did you [do|see] there?"),
    ("[I played|We played] {game} today.", "[That sounds like fun|I like {game}]! Who [won|played with you]?"),
    ("[Do you want to play|Can we play] {game}?", "I cannot play {game}, because I have no hands. But [I can tell you a story|we can do sums]."),
    ("[Help me|Can you help me|I need help][.|?|!]", "[Yes, of course|Of course|I will try]. [What do you need?|Tell me what you need.|How can I help?]"),
    ("[I have a question|May I ask you something|Can I ask you a question][.|?]", "[Of course|Yes, please|Sure]. [What would you like to know?|Ask me.]"),
    ("[Can you sing|Sing a song|Sing something][.|!|?]", "[La la la, the sun is high, and little clouds are in the sky|Row your boat along the shore, sing with me and sing some more]!"),
    ("[Can you speak other languages|Do you speak French|Do you speak German]?", "No, I only know [simple English|English]."),
    ("{unknown}", "[I do not know that|I am sorry, I do not know that|That is too hard for me]. [I am a small model and know only simple things|I am too small to know that|Ask me about ternary networks, or for a story]."),
    ("{unknown}", "[I do not know that|I am sorry, I do not know that|That is too hard for me]. [I am a small model and know only simple things|I am too small to know that|Ask me about ternary networks, or for a story]."),
    ("[Sorry|I am sorry|Oh, sorry][.|!]", "[No problem|That is all right|Do not worry]."),
    ("[Yes|Yes, please|Okay|Sure][.|!]", "[Good|Great]! [Tell me more.|What would you like to know?|Then let us begin.]"),
    ("[No|No, thank you|Not now][.|]", "[That is all right|No problem]. [We can do something else.|What else can I do for you?]"),
]
# What the model cannot know: any name in any of these frames gets the same honest reply.
UNKNOWN = [
    "What is the capital of {x}?", "Who is the president of {x}?", "Who wrote {x}?", "When was {x} born?",
    "What happened in {x}?", "How far is it to {x}?", "How many people live in {x}?", "Who invented {x}?",
    "What is the price of {x}?", "Who won the game in {x}?", "Why is {x} so famous?", "How do I cook {x}?",
    "What do you think of {x}?", "How do I repair {x}?", "Translate {x} into French.", "Explain {x} to me.",
    "Write a program for {x}.", "What is the news from {x}?", "What is the history of {x}?", "Where is {x}?",
]
UNKNOWN_THINGS = [
    "France", "Spain", "China", "Rome", "Paris", "London", "the moon", "Mars", "Africa", "the king", "the queen",
    "the telephone", "gold", "oil", "the bank", "the train", "my car", "my computer", "the government", "Einstein",
    "Mozart", "the war", "the internet", "physics", "chemistry", "the stock market", "rice", "fish soup", "Canada",
    "1999", "2020", "New York", "the atom", "the ocean", "the universe", "Hamlet", "the law", "medicine",
]
PETS = ["dog", "cat", "rabbit", "bird", "horse", "turtle", "hamster", "fish"]
OFFER = [
    ("[I am|I feel] [bored|so bored|sad|tired|alone].", "[Would you like to hear a story|Shall I tell you a story|Do you want to hear a story]?"),
    ("[What can we do|What shall we do|What shall we do now]?", "[I can tell you a story. Would you like that|Shall I tell you a story]?"),
]
ACCEPT = ["Yes, please.", "Yes!", "Yes", "Okay.", "Please do.", "Yes, tell me a story.", "That would be nice."]
PET_TALK = [
    ("[My {pet} is called|I have a {pet} named|I have a {pet}, and the name is] {petname}.", "{Petname} is a [nice|good|lovely] name for a {pet}."),
    ("[What is the name of my {pet}|What is my {pet} called|How is my {pet} called]?", "Your {pet} is called {petname}."),
]
LIKE_TALK = [
    ("[I like|I love] {game}.", "[That is fun|{Game} is fun]! [Who plays it with you|Do you play it often]?"),
    ("[What do I like|Do you remember what I like|What did I say I like]?", "You like {game}."),
]


def speaker(rng: random.Random) -> dict[str, str]:
    """The slots of the person who talks with the model."""
    return {
        "name": rng.choice(words.GIRLS + words.BOYS), "pet": rng.choice(PETS),
        "petname": rng.choice(words.PETS), "food": rng.choice(words.FOODS),
        "colour": rng.choice(words.COLOURS), "game": rng.choice(words.GAMES),
        "place": rng.choice(words.PLACES), "weather": rng.choice(words.WEATHER),
        "unknown": rng.choice(UNKNOWN).format(x=rng.choice(UNKNOWN_THINGS)),
    }


def exchange(pair: tuple[str, str], slots: dict[str, str], rng: random.Random) -> tuple[str, str]:
    """One question and its reply, rendered."""
    return render(pair[0], slots, rng), render(pair[1], slots, rng)
