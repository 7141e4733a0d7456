-- The index of a contact sheet is called what it is.
CREATE OR REPLACE FUNCTION released_rendition(wanted uuid, link_digest bytea)
RETURNS TABLE (rendition_id uuid, storage_path text, bytes bigint, sha256 text, media_type text,
               filename text, why text)
LANGUAGE sql STABLE AS $$
    SELECT r.id, r.storage_key::text, r.bytes, r.sha256::text, r.media_type::text,
           'rel_' || core_shown(l.id) ||
               CASE r.kind WHEN 'master' THEN '' ELSE '-' || r.kind END || '.' ||
               CASE r.media_type WHEN 'video/mp4' THEN 'mp4' WHEN 'image/webp' THEN 'webp'
                    WHEN 'text/vtt' THEN 'vtt'
                    ELSE 'bin' END,
           CASE WHEN link_digest IS NULL THEN 'showcase' ELSE 'link' END
    FROM generation_rendition r
    JOIN review_release l ON l.clip_id = r.clip_id AND l.master_sha256 = r.master_sha256
        AND l.ended_at IS NULL
    WHERE r.id = wanted AND NOT clip_is_removed(r.clip_id)
      AND CASE WHEN link_digest IS NULL THEN l.is_listed
               ELSE EXISTS (SELECT FROM review_sharelink s
                            WHERE s.release_id = l.id AND s.digest = link_digest
                              AND s.revoked_at IS NULL) END
$$;
