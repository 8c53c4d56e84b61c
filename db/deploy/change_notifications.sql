-- Deploy notification-service:change_notifications to pg
-- Tells every node which cached rows changed: LISTEN notification_service_changes. The payload is two
-- words, the table and the user: "user_settings 0b0c...". A "*" for the user means anybody (TRUNCATE, and
-- templates, which are nobody's). Readers skip tables they do not know and whatever follows the
-- second word. Equal payloads of one transaction arrive once.
--
-- Only on tables that people write: a transaction that notifies holds a lock of the whole
-- database while it commits, and the big tables could not bear that.

BEGIN;
SET LOCAL lock_timeout = '2s';

CREATE FUNCTION notify_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_LEVEL = 'STATEMENT' THEN
        PERFORM pg_notify('notification_service_changes', TG_TABLE_NAME || ' *');
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM pg_notify('notification_service_changes', TG_TABLE_NAME || ' ' || OLD.user_id);
    END IF;
    -- A device that changes hands concerns both users.
    IF TG_OP <> 'DELETE' AND (TG_OP = 'INSERT' OR NEW.user_id <> OLD.user_id) THEN
        PERFORM pg_notify('notification_service_changes', TG_TABLE_NAME || ' ' || NEW.user_id);
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION notify_change() IS
    'AFTER trigger: NOTIFY notification_service_changes, payload "table user_id" or "table *".';

CREATE TRIGGER notify_user_settings_change
AFTER INSERT OR UPDATE OR DELETE ON user_settings
FOR EACH ROW EXECUTE FUNCTION notify_change();
CREATE TRIGGER notify_user_settings_truncate
AFTER TRUNCATE ON user_settings
FOR EACH STATEMENT EXECUTE FUNCTION notify_change();

CREATE TRIGGER notify_conversation_settings_change
AFTER INSERT OR UPDATE OR DELETE ON conversation_settings
FOR EACH ROW EXECUTE FUNCTION notify_change();
CREATE TRIGGER notify_conversation_settings_truncate
AFTER TRUNCATE ON conversation_settings
FOR EACH STATEMENT EXECUTE FUNCTION notify_change();

CREATE TRIGGER notify_devices_change
AFTER INSERT OR DELETE ON devices
FOR EACH ROW EXECUTE FUNCTION notify_change();
-- Not for last_seen, nor when a token is only encrypted anew (same fingerprint): neither changes where a
-- notification goes, and rotating a key would notify of every device there is.
CREATE TRIGGER notify_devices_update
AFTER UPDATE ON devices
FOR EACH ROW
WHEN ((OLD.user_id, OLD.platform, OLD.device_id, OLD.metadata, OLD.is_active, OLD.registered_at,
       OLD.token_fingerprint, OLD.source_version, OLD.deleted_at)
      IS DISTINCT FROM
      (NEW.user_id, NEW.platform, NEW.device_id, NEW.metadata, NEW.is_active, NEW.registered_at,
       NEW.token_fingerprint, NEW.source_version, NEW.deleted_at)
      OR (NEW.token_fingerprint IS NULL AND OLD.token <> NEW.token))
EXECUTE FUNCTION notify_change();
CREATE TRIGGER notify_devices_truncate
AFTER TRUNCATE ON devices
FOR EACH STATEMENT EXECUTE FUNCTION notify_change();

CREATE TRIGGER notify_notification_templates_change
AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON notification_templates
FOR EACH STATEMENT EXECUTE FUNCTION notify_change();

COMMIT;
