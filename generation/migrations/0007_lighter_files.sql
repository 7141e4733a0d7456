-- As before; a track of thumbnails has a suffix of its own.
CREATE OR REPLACE FUNCTION rendition_for(wanted uuid, reader uuid)
RETURNS TABLE (rendition_id uuid, clip_id uuid, storage_path text, bytes bigint, sha256 text,
               media_type text, filename text, is_owner boolean, role text, why text)
LANGUAGE sql STABLE AS $$
    SELECT r.id, r.clip_id, r.storage_key::text, r.bytes, r.sha256::text, r.media_type::text,
           'clp_' || core_shown(r.clip_id) ||
               CASE r.kind WHEN 'master' THEN '' ELSE '-' || r.kind END || '.' ||
               CASE r.media_type WHEN 'video/mp4' THEN 'mp4' WHEN 'image/webp' THEN 'webp'
                    WHEN 'text/vtt' THEN 'vtt' ELSE 'bin' END,
           c.party_id = reader, coalesce(v.role, '')::text, coalesce(v.why, '')::text
    FROM generation_rendition r
    JOIN generation_clip c ON c.id = r.clip_id
    LEFT JOIN LATERAL (
        SELECT v.role, v.why FROM generation_viewing v
        WHERE v.clip_id = c.id AND v.viewer_id = reader AND v.until > core_now()
          AND accounts_holds(c.programme_id, reader, ARRAY[v.role::text])
        ORDER BY v.until DESC LIMIT 1
    ) v ON c.party_id <> reader
    WHERE r.id = wanted AND (c.party_id = reader OR v.role IS NOT NULL)
      AND NOT clip_is_removed(c.id)
$$;
