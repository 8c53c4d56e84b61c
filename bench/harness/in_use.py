"""What users' settings, limits and a template cost end to end: runs with and without, in turn."""

import re
import urllib.request

MODES = ("unary", "stream")
ROUNDS = 2  # of runs without and with: machines drift
TEMPLATE = "new_message"
OFF = {"NOTIFY_LIMITS_USER": "", "NOTIFY_LIMITS_CONVERSATION": ""}

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


def measure(load, modes, seconds):
    """Closed loops. {mode: rates without and with}, and how often the cache knew the settings."""
    modes = [mode for mode in MODES if mode in modes]
    rates = {mode: {"without": [], "with": []} for mode in modes}
    asked = {}
    for number in range(1, ROUNDS + 1):
        for name, settings, arguments in (("without", OFF, ()), ("with", {}, ("--template", TEMPLATE))):
            load.stack.psql("TRUNCATE user_settings, conversation_settings")
            if name == "with":
                load.stack.psql(SETTINGS.format(users=load.users))
            load.stack.say(f"settings, limits and template: {name}, {number} of {ROUNDS}")
            restart(load, settings)
            before = lookups(load.stack)
            for mode in modes:
                point = load.run(f"{mode}, {name} settings", mode, seconds, arguments=arguments)
                rates[mode][name].append(point["rate"])
            if name == "with":
                for source, count in lookups(load.stack).items():
                    asked[source] = asked.get(source, 0) + count - before.get(source, 0)
    load.stack.psql("TRUNCATE user_settings, conversation_settings")
    return {"rates": rates, "lookups": asked, "hit_ratio": asked.get("cache", 0) / max(1, sum(asked.values()))}
