"""Plots where something is looked for, made, grown or reached.

A plot is {"title": noun phrase, "moral": templates, "beats": [(needed, [variants])]}. The chosen
variant of every beat, together with the plot, is the story's skeleton: the unit of the held-out
split. What stands in brackets inside a variant is wording, not structure.
"""

LOST = {
    "title": "a lost {toy}",
    "moral": ["[It is easier to find things together|A friend who helps you look is worth more than any {toy}|Put your things in a safe place, and you will not lose them]."],
    "beats": [
        (True, [
            "{Hero} had a {colour} {toy} that {he} loved [very much|more than anything]. One {weather} [morning|day], {he} could not find it.",
            "One day, {hero} took {his} {colour} {toy} to {place}. {He} played [all day|for a long time], but when {he} came home, the {toy} was gone.",
            "{Hero}'s {elder} had given {him} a {colour} {toy}. [But one morning|Then, one {weather} morning] the {toy} was not in its place.",
            "{Hero} [put down|left] {his} {colour} {toy} for just a moment. When {he} [turned around|looked again], it was not there.",
        ]),
        (True, [
            "{He} looked {spot}, but it was not there. {He} looked {spot2}, but it was not there [either|too]. {Hero} [began to cry|felt very sad].",
            "{Hero} [ran|went] from room to room. {He} looked {spot}. {He} looked {spot2}. [Nothing!|There was no {toy}.]",
            "\"Where is my {toy}?\" {he} [asked|cried]. {He} [searched|looked] {spot} and {spot2}, but {he} [found only dust|found nothing].",
        ]),
        (True, [
            "Then {hero} met {friend}. \"Why are you sad?\" asked {friend}. \"I lost my {colour} {toy},\" said {hero}. \"[Do not worry|Do not cry],\" said {friend}. \"We will [find it|look for it] together.\"",
            "{His} friend {friend} came to help. \"Let us think,\" said {friend}. \"Where did you [see it last|play yesterday]?\" \"I was [at|near] {place},\" said {hero}. So they went to {place}.",
            "{Hero} asked {his} {elder} for help. \"[Think slowly|Close your eyes and think],\" said {his} {elder}. \"Where were you when you had it last?\" {Hero} [thought and thought|thought for a long time].",
            "{Hero} did not give up. {He} took a lamp and [went|walked] back along the path to {place}, [step by step|one step at a time].",
        ]),
        (True, [
            "At last they saw something {colour} {spot3}. It was the {toy}! {Hero} [jumped with joy|laughed and laughed|was so happy].",
            "A small {animal} was sitting {spot3}, and next to it was the {colour} {toy}. \"[You found it|You kept it safe]! Thank you, little {animal},\" said {hero}.",
            "Then {hero} remembered. {He} had put the {toy} {spot3}! {He} ran there, and there it was. {Hero} [hugged|held] the {toy} [tight|in {his} arms].",
            "They looked everywhere, but the {toy} was gone. Then {friend} [smiled|said softly], \"You can play with my {toy}. We can share it.\" {Hero} [was not sad any more|felt much better].",
        ]),
        (False, [
            "On the way home, they sang a [happy|little|silly] song.",
            "That evening, they ate {food} [together|and told stories].",
            "{Hero} put the {toy} [in a safe place|next to {his} bed] and went to sleep with a smile.",
        ]),
    ],
}

BUILD = {
    "title": "building a {craft}",
    "moral": ["[If something breaks, try again|Good things take time|Two pairs of hands are better than one]."],
    "beats": [
        (True, [
            "{Hero} wanted to build a {craft}. {He} [collected|found] some {stuff} and some {stuff2}, and {he} began to work.",
            "One {weather} day, {hero} saw a [beautiful|fine] {craft} [at|near] {place}. \"I want to make one too!\" {he} said. {He} [looked for|gathered] {stuff} and {stuff2}.",
            "\"What shall we do today?\" asked {friend}. \"Let us build a {craft}!\" said {hero}. They brought {stuff} and {stuff2} to {place}.",
        ]),
        (True, [
            "{He} worked [all morning|very fast]. But the {craft} was [weak|crooked], and it fell down with a loud crash.",
            "But it was not easy. The {stuff} was too [short|heavy|thin], and the {craft} [broke|fell apart] again and again.",
            "Then the wind came and [blew|carried] everything away. [Only a little {stuff} was left|All the work was gone].",
        ]),
        (True, [
            "{Hero} was [angry|sad] and wanted to stop. \"Do not give up,\" said {his} {elder}. \"Every builder [makes mistakes|has to try more than once].\"",
            "{Hero} sat down and [thought|looked at the pieces]. \"I was too fast,\" {he} said. \"I must [measure first|make it stronger].\"",
            "{Friend} saw it and came to help. \"You hold the {stuff}, and I will tie it with {stuff2},\" said {friend}.",
            "\"I cannot do it,\" said {hero}. {Friend} [shook {fhis} head|smiled]. \"You cannot do it yet,\" said {friend}. \"[Let us try|We will do it] one more time.\"",
        ]),
        (True, [
            "So {hero} tried again, [slowly and with care|one piece at a time]. This time the {craft} was [strong|just right].",
            "They worked until [the sun went down|it was evening]. In the end, the {craft} stood [strong and straight|in front of them], and it was [beautiful|wonderful].",
            "The next day {he} started again with new {stuff}. {He} [worked|built] for three days. On the third day the {craft} was ready.",
        ]),
        (True, [
            "Everyone came to see the {craft}. \"[Well done|How wonderful], {hero}!\" they said. {Hero} was very proud.",
            "{Hero} and {friend} played with the {craft} [all summer|every day]. It was the best {craft} in [the village|the whole valley].",
            "{Hero} gave the {craft} to {his} {elder}. \"This is the [best|nicest] gift I ever got,\" said {his} {elder}, and {ehe} [gave {him} a hug|kissed {him}].",
        ]),
    ],
}

GARDEN = {
    "title": "a {plant}",
    "moral": ["[Good things need time|Be patient, and good things will grow|A little care every day makes big things grow]."],
    "beats": [
        (True, [
            "In {season}, {hero}'s {elder} gave {him} a [small|tiny] seed. \"Plant it and [wait|take care of it],\" said {his} {elder}. \"It will be a {plant}.\"",
            "{Hero} found a [small|strange] seed near {place}. \"What are you, little seed?\" {he} asked. {He} [put it in the ground|planted it] behind the house.",
            "{Hero} wanted to have a {plant}. {He} [bought|got] a seed at the market and made a hole in the [soft|dark] earth.",
        ]),
        (True, [
            "Every day, {he} gave it water. But nothing happened. \"Grow, seed, grow!\" said {hero}. [Still nothing happened|The seed did not listen].",
            "The first day nothing happened. The second day nothing happened. {Hero} was [not patient|sad]. {He} wanted to dig it up.",
            "For a week it did not rain, and the earth was very dry. {Hero} carried water from {place} [every morning|every evening].",
        ]),
        (False, [
            "\"It is too small to see, but it is [working|growing] under the ground,\" said {friend}. \"[Wait|Give it time].\"",
            "A hungry {animal} came to eat the first green leaf. \"Please do not eat it!\" said {hero}. {He} gave the {animal} [some bread|{treat}], and the {animal} [went away|became {his} friend].",
            "One night there was a storm. {Hero} ran outside and put [a box|{his} coat] over the little plant to keep it safe.",
        ]),
        (True, [
            "Then one morning there was a small green leaf. After some weeks the {plant} was [taller than {hero}|as tall as the door].",
            "After many days, something green came out of the ground. It grew and grew, and soon it was a [big|beautiful] {plant}.",
            "At last the sun came out, and the {plant} began to grow. [Every day it was a little taller|It grew higher than the fence].",
        ]),
        (True, [
            "{Hero} [showed it to|shared it with] all {his} friends. \"I waited, and it was worth it,\" {he} said.",
            "{His} {elder} was [proud|happy]. \"You took good care of it,\" {ehe} said. {Hero} [smiled|was proud too].",
            "{Hero} took the new seeds and gave one to {friend}. \"Now you can grow a {plant} too,\" said {hero}. {Friend} was [very happy|delighted].",
        ]),
    ],
}

WAY_HOME = {
    "title": "the way home",
    "moral": ["[Stay calm when you are lost, and ask for help|It is brave to ask for help|Home is never far when you have friends]."],
    "beats": [
        (True, [
            "One {weather} day, {hero} went for a walk [to|near] {place}. {He} followed a {colour} butterfly [for a long time|deep into the trees], and soon {he} did not know where {he} was.",
            "{Hero} wanted to pick [berries|flowers] at {place}. {He} went [farther and farther|from bush to bush]. When {he} looked up, {he} did not see the path.",
            "{Hero} and {his} {elder} went to the market. There were so many people! {Hero} [looked at the toys|stopped to see a puppet], and then {his} {elder} was gone.",
        ]),
        (True, [
            "It was getting dark, and {hero} was afraid. \"[Hello|Is anybody there]?\" {he} called. Nobody answered.",
            "{Hero} wanted to cry, but then {he} remembered what {his} {elder} always said: \"If you are lost, [stay calm|take a deep breath].\"",
            "{He} [sat down on a stone|stood still]. {His} heart was beating fast. \"I want to go home,\" {he} said [quietly|with a small voice].",
        ]),
        (True, [
            "Then {friend} came along. \"Are you lost?\" asked {friend}. \"Yes,\" said {hero}. \"I live {home}.\" \"I know that place!\" said {friend}. \"[Follow me|Come with me].\"",
            "{Hero} saw a light [far away|between the trees]. {He} walked to the light and knocked. {Friend} opened the door and gave {him} some {food}. \"I will take you home,\" said {friend}.",
            "{Hero} climbed on a big rock and looked around. There, [far away|behind the trees], was the old bridge! {He} knew the bridge. {He} [ran|walked] to it and followed the river.",
            "{Hero} looked at the ground and saw {his} own footprints. \"If I follow them, they will [lead|bring] me back,\" {he} said. {Hero} followed them [step by step|slowly].",
        ]),
        (True, [
            "At home, {his} {elder} was waiting at the door. \"[There you are|I was so worried]!\" {ehe} said and gave {hero} a [big|long] hug.",
            "When {hero} saw {his} house, {he} [ran the last steps|laughed with joy]. {His} {elder} [made|had made] {food}, and everything was good again.",
            "{His} {elder} had looked for {him} everywhere. \"I am sorry,\" said {hero}. \"Next time I will [stay close to you|stay on the path].\"",
        ]),
        (False, [
            "{Hero} never forgot that day.",
            "Since that day, {hero} always [takes a friend along|looks back to remember the way].",
            "That night {hero} slept [very well|like a stone].",
        ]),
    ],
}

TRIP = {
    "title": "a rainy picnic",
    "moral": ["[A good day does not need good weather|With friends, even the rain is fun|When plans change, make new plans]."],
    "beats": [
        (True, [
            "{Hero} and {friend} wanted to have a picnic at {place}. They packed {food} and {treat}.",
            "It was the first day of {season}. \"Let us go to {place}!\" said {hero} to {his} friend {friend}. They took a basket with {food}.",
            "{Hero} had waited for this day all week. Today {he} would go to {place} with {his} {elder} and {friend}. The basket was full of {food}.",
        ]),
        (True, [
            "But when they [arrived|got there], dark clouds came, and it began to rain. \"Oh no!\" said {hero}. \"Our day is ruined.\"",
            "Suddenly the wind [took|blew away] the blanket, and big drops of rain [fell on the food|began to fall].",
            "On the way, the cart got stuck in the mud. They pushed and pushed, but it did not move. Then it started to rain too.",
        ]),
        (True, [
            "\"Look, [a cave|an old barn|a big tree]!\" said {friend}. They ran there and sat down. It was dry and [warm|cosy].",
            "{Friend} laughed. \"We are wet already, so let us [play in the rain|jump in the puddles]!\" They jumped and splashed and laughed.",
            "{Hero} had an idea. \"We can have the picnic at home, on the floor!\" They [ran back|went home] and put the blanket in front of the fire.",
        ]),
        (True, [
            "They ate the {food} and listened to the rain. It sounded like [a drum|music].",
            "They told each other [funny|scary] stories and ate everything in the basket.",
            "They played {game} until the rain stopped. Then a rainbow stood over {place}.",
        ]),
        (True, [
            "\"This was the best picnic ever,\" said {hero}. \"Yes,\" said {friend}. \"[Let us do it again|I hope it rains next time too]!\"",
            "In the evening they were tired and happy. \"Thank you, rain,\" said {hero} [with a smile|and laughed].",
            "When they came home, {hero}'s {elder} gave them dry clothes and hot [milk|tea|soup]. They [fell asleep|slept] at once.",
        ]),
    ],
}

RACE = {
    "title": "{race}",
    "moral": ["[Practice makes you better|Being kind is better than winning|It is good to do your best, even if you do not win]."],
    "beats": [
        (True, [
            "Every {season} there was {race}. {Hero} wanted to win, but {he} was not very [good|fast] yet.",
            "\"I will be first in {race},\" said {friend}. \"[We will see|Maybe I will be first],\" said {hero}.",
            "A sign was on the [school|town] door: everyone could come to {race}! {Hero} was [excited|nervous] and wrote down {his} name.",
        ]),
        (True, [
            "{Hero} practised every day at {place}. At first {he} was [bad|slow], but every day {he} got a little better.",
            "{Hero} did not practise. \"I am good enough,\" {he} said, and {he} [slept|played {game}] all day.",
            "{His} {elder} helped {him}. \"[Slow down|Breathe], and do it again,\" said {his} {elder}. They practised [every morning|every evening].",
        ]),
        (True, [
            "On the big day, {hero} was in front. Then {he} saw that {friend} had fallen [down|over] and was crying. {Hero} stopped and [helped {fhim} up|went back to help].",
            "On the big day, {hero}'s legs were shaking. But {he} [took a deep breath|thought of {his} {elder}] and did {his} best.",
            "The day came. {Friend} was very good, but {hero} was good too. Nobody knew who would win until the [very end|last moment].",
        ]),
        (True, [
            "{Hero} did not win, but everyone [clapped|cheered]. \"You have a good heart,\" said {his} {elder}. \"I am proud of you.\"",
            "{Hero} won! {He} got a {colour} ribbon. \"Next time I will win,\" said {friend}, and they both [laughed|shook hands].",
            "{Friend} won, and {hero} was second. \"[Well done|You were great], {friend}!\" said {hero}. \"Will you teach me?\" \"Of course,\" said {friend}.",
            "They came in at the same time! So both got a prize, and they shared {treat}.",
        ]),
    ],
}

QUEST_PLOTS = {"lost": LOST, "build": BUILD, "garden": GARDEN, "way_home": WAY_HOME, "trip": TRIP, "race": RACE}
