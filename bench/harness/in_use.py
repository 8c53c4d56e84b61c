"""What users' settings, limits and a template cost end to end, each alone and all together: runs in turn."""

import re
import urllib.request

MODES = ("unary", "stream")
ROUNDS = 3  # of all variants in turn: machines drift
PARTS = ("settings", "limits", "template")
VARIANTS = {"none": (), **{part: (part,) for part in PARTS}, "all": PARTS}
WITHOUT_LIMITS = {"NOTIFY_LIMITS_USER": "", "NOTIFY_LIMITS_CONVERSATION": ""}
WITH_TEMPLATE = ("--template", "new_message")

# Every second user has quiet hours at another time of the day than now and has switched some types off; every
# fourth has muted their conversation once. All did so some time ago: what has just changed is not trusted to a cache.
# Ids as in push-simulator's /devices/generate.
SETTINGS = """
WITH everybody AS (SELECT u, format('00000000-0000-4000-8000-%s', lpad(to_hex(u), 12, '0'))::uuid AS id
                   FROM generate_series(0, {users} - 1) u)
INSERT INTO user_settings (user_id, updated_at, quiet_hours, preferences)
SELECT id, now() - interval '1 day',
       jsonb_build_object('enabled', true, 'timezone', 'Europe/Paris', 'mode', 'defer', 'exceptions', '["call"]'::jsonb,
                          'start', to_char(now() AT TIME ZONE 'Europe/Paris' + interval '6 hours', 'HH24:MI'),
                          'end', to_char(now() AT TIME ZONE 'Europe/Paris' + interval '14 hours', 'HH24:MI')),
       '{{"types": {{"reaction": false, "marketing": false}}}}'
FROM everybody WHERE u % 2 = 0;
WITH everybody AS (SELECT u, lpad(to_hex(u), 12, '0') AS digits FROM generate_series(0, {users} - 1) u)
INSERT INTO conversation_settings (user_id, conversation_id, updated_at, muted_until)
SELECT format('00000000-0000-4000-8000-%s', digits)::uuid, format('00000000-0000-4000-8001-%s', digits)::uuid,
       now() - interval '1 day', now() - interval '1 day'
FROM everybody WHERE u % 4 = 0"""


def lookups(stack):
    """Questions for a user's settings so far, by who answered."""
    with urllib.request.urlopen(f"{stack.admin}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = re.findall(r'^notification_settings_lookups_total\{from="(\w+)"\} (\d+)', text, re.MULTILINE)
    return {source: int(count) for source, count in found}


def restart(load, settings):
    """With an empty memory, which is warmed: each user is notified once."""
    load.stack.stop_service()
    load.stack.start_service(settings)
    load.run("warm-up", "batch", 120, count=load.users)


def prepare(load, parts):
    """The service as it is with these, its memory warm."""
    load.stack.psql("TRUNCATE user_settings, conversation_settings")
    if "settings" in parts:
        load.stack.psql(SETTINGS.format(users=load.users))
    restart(load, {} if "limits" in parts else WITHOUT_LIMITS)


def measure(load, modes, seconds):
    """Closed loops of so many seconds. {mode: {variant: points}}, and how often the cache knew the settings."""
    points = {mode: {variant: [] for variant in VARIANTS} for mode in MODES if mode in modes}
    asked = {}
    for number in range(1, ROUNDS + 1):
        for variant, parts in VARIANTS.items():
            load.stack.say(f"in use: {variant}, {number} of {ROUNDS}")
            prepare(load, parts)
            before = lookups(load.stack)
            for mode in points:
                points[mode][variant].append(load.run(f"{mode}, in use: {variant}", mode, seconds,
                                                      arguments=WITH_TEMPLATE if "template" in parts else ()))
            if "settings" in parts:
                for source, count in lookups(load.stack).items():
                    asked[source] = asked.get(source, 0) + count - before.get(source, 0)
    load.stack.psql("TRUNCATE user_settings, conversation_settings")
    return {"points": points, "lookups": asked, "hit_ratio": asked.get("cache", 0) / max(1, sum(asked.values()))}
