"""Plots about feelings and deeds: fear, truth, sharing, gifts, new friends, care, anger, magic.

The form is that of plots_quest.py.
"""

FEAR = {
    "title": "being afraid of {fear}",
    "moral": ["[Being brave means doing it even when you are afraid|Fear gets smaller when you look at it|A friend can make you brave]."],
    "beats": [
        (True, [
            "{Hero} was afraid of {fear}. {He} did not tell anyone[| because {he} felt silly].",
            "There was one thing {hero} did not like: {fear}. When the others [went out to play|laughed and played], {he} stayed at home.",
            "\"Come with us!\" said {friend}. But {hero} shook {his} head. {He} was too afraid of {fear}.",
        ]),
        (True, [
            "One {weather} evening, {friend} was in trouble near {place}. \"Help!\" called {friend}. Nobody else was there. {Hero} had to [go|help].",
            "One day {his} {elder} said, \"When I was small, I was afraid of {fear} too.\" \"Really?\" asked {hero}. \"What did you do?\" \"I took one small step every day,\" said {his} {elder}.",
            "{Hero} was tired of being afraid. \"Today I will [try|be brave],\" {he} said. {His} knees were [shaking|weak], but {he} [went|walked] to {place}.",
        ]),
        (True, [
            "{He} took a deep breath and counted to three. One, two, three! Then {he} did it. It was not [so bad|as bad as {he} had thought].",
            "{Friend} took {his} hand. \"I am here,\" said {friend}. Step by step, they went on. {Hero}'s fear got [smaller and smaller|a little smaller].",
            "{Hero} sang a [little|quiet] song to {himself}. While {he} sang, {he} forgot to be afraid.",
            "{Hero} tried, but {he} ran back home. The next day {he} tried again and went a little farther. On the third day, {he} [made it|did it]!",
        ]),
        (True, [
            "\"I did it!\" cried {hero}. {Friend} [clapped|jumped for joy]. \"You are the bravest {kind} I know,\" said {friend}.",
            "When {hero} told {his} {elder}, {ehe} gave {him} a [big|long] hug. \"I am proud of you,\" {ehe} said.",
            "Since that day, {hero} is still a little afraid of {fear}. But now {he} knows that {he} can [do it|be brave].",
        ]),
    ],
}

TRUTH = {
    "title": "a broken {breakable}",
    "moral": ["[It is better to tell the truth|The truth makes your heart light|Everyone makes mistakes, but a lie makes them bigger]."],
    "beats": [
        (True, [
            "{Hero} was playing with a ball in the house. Crash! The {colour} {breakable} of {his} {elder} was broken.",
            "\"Do not run in the kitchen,\" {his} {elder} always said. But {hero} ran, and [crash|bang], the {colour} {breakable} fell on the floor and broke.",
            "{Hero} wanted to look at the {colour} {breakable} [only once|more closely]. It [fell|slipped] out of {his} hands and broke into [many|a hundred] pieces.",
        ]),
        (True, [
            "{Hero} was afraid. {He} hid the pieces {spot}. \"Nobody will know,\" {he} thought.",
            "When {his} {elder} asked about it, {hero} said, \"It was the {animal}.\" {His} {elder} looked at {him} and said nothing.",
            "{Hero} wanted to run away. {His} face was [red|hot], and {he} did not know what to say.",
        ]),
        (True, [
            "But that night {hero} could not sleep. {His} heart felt [heavy|like a stone].",
            "{Hero} told {friend} about it. \"You must tell the truth,\" said {friend}. \"[It will be hard, but you will feel better|I will come with you].\"",
            "At dinner there was {food}, but {hero} did not want to eat. \"[What is wrong|Are you ill]?\" asked {his} {elder}.",
        ]),
        (True, [
            "At last {hero} said, \"I broke the {breakable}. I am sorry.\" {His} {elder} [nodded|smiled softly]. \"Thank you for telling the truth,\" {ehe} said.",
            "{Hero} went to {his} {elder} and began to cry. \"It was me,\" {he} said. \"I know,\" said {his} {elder}. \"I was waiting for you to tell me.\"",
        ]),
        (True, [
            "Together they [put the pieces together with glue|glued the {breakable}]. It was not as pretty as before, but {his} {elder} liked it [even more|very much].",
            "{Hero} worked [in the garden|at the market] for a week and bought a new {breakable}. {His} {elder} was [very proud|very happy].",
            "They cleaned the floor together, and then they ate {food}. {Hero} felt [light and happy|much better].",
        ]),
    ],
}

SHARE = {
    "title": "sharing {treat}",
    "moral": ["[Sharing makes everyone happy|What you share tastes twice as good|Be kind, and others will be kind to you]."],
    "beats": [
        (True, [
            "One day, {hero} had {treat}. {He} wanted to eat it [all alone|by {himself}] at {place}.",
            "{Hero}'s {elder} gave {him} {treat}. \"[Share it with your friends|Do not eat it too fast],\" said {his} {elder}.",
            "{Hero} worked all morning and got {treat} for it. {He} was [very hungry|proud] and sat down to eat.",
        ]),
        (True, [
            "Then {friend} came by. {Friend} had nothing to eat and looked very [hungry|sad].",
            "A hungry {animal} looked at {hero} with big eyes. It had not eaten [all day|for two days].",
            "\"May I have a [bit|piece]?\" asked {friend}. {Hero} looked at {fhim} and then at the food.",
        ]),
        (True, [
            "\"Here, take half of it,\" said {hero}. They sat together and ate. It tasted [better than ever|wonderful].",
            "\"No, this is mine!\" said {hero} and ran away. But alone it did not taste good at all. {Hero} felt [bad|lonely]. {He} went back and said, \"I am sorry. Please take half of it.\"",
            "{Hero} thought for a moment. It was not much. But then {he} [smiled|nodded] and gave away all of it. \"You need it more than I do,\" {he} said.",
        ]),
        (True, [
            "The next day, {hero} had no food. But {friend} came with {food}. \"Yesterday you shared with me, and today I share with you,\" said {friend}.",
            "After that they were best friends. They [played {game}|went to {place}] together [every day|all summer].",
            "{His} {elder} had seen everything. \"You have a [kind|big] heart,\" {ehe} said, and {ehe} baked {food} for everyone.",
        ]),
    ],
}

GIFT = {
    "title": "a birthday gift",
    "moral": ["[The best gifts come from the heart|A gift made with love is the best gift|Time with a friend is the best gift]."],
    "beats": [
        (True, [
            "Tomorrow was the birthday of {friend}. {Hero} wanted to give {fhim} a {colour} {toy}, but {he} had no money.",
            "It was the birthday of {hero}'s {elder}. {Hero} wanted to find the best gift in the world.",
            "{Friend} had a birthday, and the party was [today|tomorrow]. \"What can I give to {friend}?\" thought {hero}.",
        ]),
        (True, [
            "{Hero} went to the market. Everything was too [expensive|big]. {He} came home with empty hands.",
            "{He} looked {spot} and {spot2}, but {he} only found [an old shoe|some old {stuff}].",
            "{Hero} saved every coin for weeks. But then {he} met a poor old [man|woman] who was hungry, and {hero} gave the coins away.",
        ]),
        (True, [
            "Then {he} had an idea. {He} took some {stuff} and made a {craft} [with {his} own hands|all by {himself}]. It took [all night|many hours].",
            "\"Why not [bake|make] something?\" said {his} uncle. So {hero} made {food}. The kitchen was full of flour, but it smelled [wonderful|so good].",
            "{Hero} [sat down|went to {place}] and wrote a song. It was a short song, but every word was true.",
        ]),
        (True, [
            "On the birthday, {hero} was nervous. \"It is only a small gift,\" {he} said. \"It is the [best|nicest] gift of all,\" was the answer, \"because you made it.\"",
            "Everyone [clapped|loved it]. \"How did you know that this is what I wanted?\" There was a big hug, and {hero} was [very happy|full of joy].",
        ]),
        (False, [
            "They danced and sang until it was dark.",
            "Then they all ate cake, and {hero} got the biggest piece.",
            "They played {game} until the stars came out.",
        ]),
    ],
}

NEW_FRIEND = {
    "title": "a new friend",
    "moral": ["[A smile is a good way to start|You can find a friend where you do not look for one|Be kind to someone who is new]."],
    "beats": [
        (True, [
            "{Hero} was new in the village. {He} did not know anyone, and {he} was [shy|lonely].",
            "A new neighbour came to live next to {hero}. It was {friend}. {Friend} was very [shy|quiet] and did not say a word.",
            "Nobody wanted to play with {friend}, because {fhe} was [different|always so loud]. {Friend} always sat alone at {place}.",
        ]),
        (True, [
            "One {weather} day, {hero} saw that {friend} was [playing {game}|sitting] alone. {Hero}'s heart was beating fast. \"[Hello|Good morning],\" {he} said. \"[May I sit here|Can I play with you]?\"",
            "{Hero} took {treat} and went to {place}. There was {friend}. \"I cannot eat this alone,\" said {hero}. \"[Do you want some|Would you like half]?\"",
            "One day it rained, and both {hero} and {friend} ran under the same tree. First they [were quiet|did not talk]. Then {hero} said, \"I like the rain.\" \"Me too!\" said {friend}.",
        ]),
        (True, [
            "They found out that both of them liked {game}. They played until [it was dark|dinner time].",
            "{Friend} knew many [stories|songs] about {place}. {Hero} [listened|sat still] with big eyes.",
            "{Friend} could not play {game}, so {hero} [taught|showed] {fhim} how. In return, {friend} showed {hero} how to [whistle|swim|draw].",
        ]),
        (True, [
            "\"Will you come again tomorrow?\" asked {friend}. \"Yes,\" said {hero}, \"tomorrow and the day after tomorrow.\"",
            "From that day on, the two were always together. {Hero} was not lonely any more.",
            "\"I have a new friend,\" {hero} told {his} {elder} in the evening. {His} {elder} [smiled|was glad]. \"I knew you would find one,\" {ehe} said.",
        ]),
    ],
}

CARE = {
    "title": "a hurt {animal}",
    "moral": ["[If you are kind to the small ones, they will not forget you|Every creature needs care|Loving someone also means letting go]."],
    "beats": [
        (True, [
            "On a {weather} day, {hero} heard a small sound {spot}. There was a little {animal}. It was hurt and could not move.",
            "{Hero} was walking to {place} when {he} found a {animal} on the ground. It was [cold|weak] and very small.",
            "\"Listen!\" said {friend}. \"Someone is crying.\" {Hero} looked {spot} and found a little {animal} that was [hurt|lost].",
        ]),
        (True, [
            "{Hero} [carried|took] it home in {his} {colour} {toycloth}. {His} {elder} made a soft bed in a box.",
            "{Hero} did not know what to do, so {he} asked {his} {elder}. \"It needs [water, food and sleep|a warm place and rest],\" said {his} {elder}.",
            "{Hero} stayed with the {animal} all night. {He} gave it [water|warm milk] and [sang to it|told it a story].",
        ]),
        (False, [
            "After three days the {animal} [opened its eyes|began to eat]. {Hero} was so [happy|glad] that {he} danced in the kitchen.",
            "Every day it was a little stronger. {Hero} named it [Spot|Star|Lucky|Snow].",
            "{Friend} came to visit and brought {treat} for the {animal}.",
        ]),
        (True, [
            "When the {animal} was well, {hero} brought it back to {place}. It was hard to say goodbye. But the {animal} was [happy|free], and so {hero} was happy too.",
            "Then its mother came to look for it. {Hero} opened the door. \"[Go|Go home], little {animal},\" {he} said. {He} was a bit sad, but {he} [smiled|waved].",
            "The {animal} did not want to leave. It [stayed|lived] with {hero}, and they were friends for a long, long time.",
        ]),
        (False, [
            "Many weeks later, {hero} [was sitting|sat] at {place}. Something [small|soft] touched {his} hand. It was the {animal}! It had not forgotten {him}.",
            "Every {season}, the {animal} comes back to say hello.",
            "When {hero} was lost one day, the same {animal} showed {him} the way home.",
        ]),
    ],
}

QUARREL = {
    "title": "a quarrel about a {toy}",
    "moral": ["[Saying sorry is the first step|A friend is worth more than being right|Two friends can always find a way]."],
    "beats": [
        (True, [
            "{Hero} and {friend} both wanted the {colour} {toy}. \"It is mine!\" said {hero}. \"No, it is mine!\" said {friend}. They pulled and pulled until the {toy} [broke|fell into the mud].",
            "{Hero} said that {game} was the best game. {Friend} said it was boring. They got very [angry|loud], and {hero} threw {his} {colour} {toy} on the ground.",
            "{Hero} lent {his} {colour} {toy} to {friend}, but {friend} forgot it at {place}. \"You never take care!\" shouted {hero}. {Friend} [cried|ran away].",
        ]),
        (True, [
            "{Hero} went home. {He} wanted to play, but alone it was no fun. \"I miss {friend},\" {he} thought.",
            "For two days they did not talk. {Hero} looked out of the window [all day|and sighed].",
            "\"Why are you so quiet?\" asked {his} {elder}. {Hero} told {him_or_her} everything. \"What is more important,\" asked {his} {elder}, \"the {toy} or your friend?\"",
        ]),
        (True, [
            "{Hero} went to {friend}'s house. On the way {he} met {friend}, who was coming to {him}! \"I am sorry,\" they said at the same time, and they [laughed|had to laugh].",
            "{Hero} wrote a letter. It said: \"I am sorry. Please be my friend again.\" {Friend} read it and [came running|smiled].",
            "{Hero} repaired the {toy} and brought it to {friend}. \"It is for both of us,\" {he} said. \"You have it today, and I have it tomorrow.\"",
        ]),
        (True, [
            "Then they played {game} together, as if nothing had happened.",
            "They sat down at {place} and shared {treat}. It was a [good|perfect] day.",
            "They made a rule: when they are angry, they will [count to ten|stop and breathe] first. It [works|worked] very well.",
        ]),
    ],
}

WISH = {
    "title": "a magic {toy}",
    "moral": ["[Be happy with what you have|Use a wish for others, and it comes back to you|Be careful what you wish for]."],
    "beats": [
        (True, [
            "One night, {hero} saw a star fall near {place}. {He} ran there and found a {colour} {toy} that was shining. \"I can give you one wish,\" said the {toy}.",
            "An old {oldkind} gave {hero} a {colour} {toy}. \"It is magic,\" {oldhe} said. \"It gives you one wish. [Think well|Be careful]!\"",
            "{Hero} cleaned an old {colour} {toy}, and suddenly it [spoke|began to glow]. \"Thank you,\" it said. \"For this you have one wish.\"",
        ]),
        (True, [
            "{Hero} thought of [gold|toys], of cakes and of a castle. It was very hard to choose.",
            "\"I want to be as big as a house!\" said {hero}. And at once {he} was. But now {he} did not fit through the door, and everyone ran away from {him}.",
            "{Hero} asked {friend}, \"What would you wish for?\" \"I only wish that my {elder2} was well again,\" said {friend} [sadly|quietly].",
        ]),
        (True, [
            "Then {hero} looked at {friend}, who was ill in bed. \"I wish that {friend} gets well,\" {he} said. The {toy} [shone|glowed] one last time.",
            "\"Please make everything as it was before,\" said {hero}. The {toy} laughed [kindly|softly], and it was done.",
            "{Hero} kept the {toy} for a long time and did not use the wish. \"I have a home, I have friends, and I have {food},\" {he} said. \"What more do I need?\"",
        ]),
        (True, [
            "In the morning the {toy} was only a {toy}. But {hero} was [happier than before|very happy].",
            "The sun came up, the birds sang, and {hero} went to {place} with {friend}. [It was a good day|Everything was just right].",
            "{Hero} gave the {toy} to {his} {elder} and told {him_or_her} the whole story. {His} {elder} [smiled|laughed]. \"You are a wise {kind},\" {ehe} said.",
        ]),
    ],
}

HEART_PLOTS = {"fear": FEAR, "truth": TRUTH, "share": SHARE, "gift": GIFT, "new_friend": NEW_FRIEND, "care": CARE, "quarrel": QUARREL, "wish": WISH}
