// The SDK of OpenAI for JavaScript, put to work: its checks are those of the other files here.
//
// `node run.mjs FOLDER` where FOLDER holds node_modules; reads the world from standard input and
// prints one JSON object per check.
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const { default: OpenAI, toFile } = createRequire(`${process.argv[2]}/`)('openai');
const world = JSON.parse(readFileSync(0, 'utf8'));
const PATIENCE_MS = 300_000;
const CLIP = { model: 'still', size: '640x360', seconds: '2' };
const SMALL = { model: 'still', size: '640x360', seconds: '1' };
const WAITS = { model: 'later', size: '640x360', seconds: '1' };
const SEEN = ['video.completed', 'video.failed'];

const aClient = ({ key, isHarmed, ...options } = {}) =>
  new OpenAI({
    baseURL: `${isHarmed ? world.harmed : world.address}/v1`,
    apiKey: key ?? world.token,
    ...options,
  });
const client = aClient();

function holds(is, ...said) {
  if (!is) throw new Error(`it does not hold: ${said.map((each) => JSON.stringify(each)).join(' ')}`);
}

function same(found, wanted) {
  const [one, other] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (one !== other) throw new Error(`${one} in place of ${other}`);
}

async function refused(kind, deed, said = {}) {
  try {
    await deed();
  } catch (error) {
    if (error.constructor !== kind) throw new Error(`${error} in place of ${kind.name}`);
    for (const [name, value] of Object.entries(said)) same(error[name], value);
    return error;
  }
  throw new Error(`nothing was refused; ${kind.name} was expected`);
}

async function allOf(page) {
  const found = [];
  for await (const each of page) found.push(each);
  return found;
}

const fault = (kind, times = 1) => ({ 'x-fault': `${kind} ${times} ${randomUUID()}` });
const read = async (address) => (await fetch(address)).json();
const passed = (line) => read(`${world.harmed}/passed/${line['x-fault'].split(' ')[2]}`);
const make = (prompt, wish = WAITS, options = {}) =>
  client.videos.create({ prompt, ...wish }, options);
const bytesOf = async (answer) => Buffer.from(await answer.arrayBuffer());

async function ready(id) {
  // This SDK has no helper that waits.
  for (const over = Date.now() + PATIENCE_MS; Date.now() < over; await sleep(100)) {
    const video = await client.videos.retrieve(id);
    if (!['queued', 'in_progress'].includes(video.status)) return video;
  }
  throw new Error(`${id} never came to an end`);
}

let once;
const finished = () =>
  (once ??= (async () => {
    const video = await ready((await make('a lighthouse at dusk', CLIP)).id);
    same(video.status, 'completed');
    return video;
  })());
const contentOf = async (query, options) =>
  client.videos.downloadContent((await finished()).id, query, options);

async function triedAgain(kind, { times = 1, body = {}, prompt = kind } = {}) {
  const named = `${prompt} ${randomUUID()}`;
  const line = fault(kind, times);
  const harmed = aClient({ isHarmed: true });
  const video = await harmed.videos.create({ prompt: named, ...WAITS, ...body }, { headers: line });
  same((await passed(line)).length, times + 1);
  same([video.prompt, video.status], [named, 'queued']);
  same((await client.videos.retrieve(video.id)).id, video.id);
  return { prompt: named, job: video.job };
}

async function received(path, kind, about) {
  for (const over = Date.now() + PATIENCE_MS; Date.now() < over; await sleep(100)) {
    const came = (await read(`${world.received}/${path}`)).find(
      (each) => JSON.parse(each.body).type === kind && each.body.includes(about),
    );
    if (came) return came;
  }
  throw new Error(`no ${kind} came to ${path}`);
}

const BAD = [
  [{ ...SMALL, model: 'sora-2', prompt: '?' }, 'model'],
  [{ ...SMALL, size: '641x360', prompt: '?' }, 'size'],
  [{ ...SMALL, size: 'large', prompt: '?' }, 'size'],
  [{ ...SMALL, seconds: 'a while', prompt: '?' }, 'seconds'],
  [{ ...SMALL, seconds: '4000', prompt: '?' }, 'seconds'],
  [{ ...SMALL, prompt: '?', seed: 'seven' }, 'seed'],
  [{ ...SMALL, prompt: '?', tier: 'best' }, 'tier'],
  [{ ...SMALL, prompt: '?', extensions: '{' }, 'extensions'],
  [{ ...SMALL, prompt: '?'.repeat(100_000) }, 'prompt'],
  [{ ...SMALL }, 'prompt'],
];

const CHECKS = {
  async a_video_is_made_from_words_alone() {
    const video = await make('a harbour');
    holds(video.id.startsWith('video_'), video);
    same([video.object, video.status, video.progress], ['video', 'queued', 0]);
    same([video.model, video.prompt], ['later', 'a harbour']);
    same([video.seconds, video.size], ['1', '640x360']);
    holds(Number.isInteger(video.created_at), video);
    for (const empty of ['completed_at', 'error', 'remixed_from_video_id']) same(video[empty], null);
  },

  async what_is_ours_survives_as_further_attributes() {
    const video = await make('a harbour', { ...WAITS, seed: 7, tier: 'standard' });
    holds(video.job.startsWith('job_'), video);
    same([video.recipe.seed, video.recipe.tier, video.price_credits], [7, 'standard', 1]);
    holds(video.queue.place >= 1, video.queue);
  },

  async structured_extensions_travel_in_one_field() {
    const extensions = JSON.stringify({ seed: 11, tier: 'standard' });
    same((await make('a harbour', { ...WAITS, extensions })).recipe.seed, 11);
  },

  async model_seconds_and_size_may_be_left_out() {
    const video = await client.videos.create({ prompt: 'whatever is usual' });
    same(video.status, 'queued');
    holds(video.model && Number(video.seconds) > 0 && video.size.includes('x'), video);
  },

  async a_video_is_followed_to_its_end() {
    const video = await finished();
    same([video.status, video.progress, video.error], ['completed', 100, null]);
    holds(video.completed_at >= video.created_at, video);
    same(video.charged_credits, video.price_credits);
  },

  async a_video_is_read_as_it_was_made() {
    const made = await make('read again');
    const again = await client.videos.retrieve(made.id);
    same(
      [again.id, again.prompt, again.seconds, again.created_at],
      [made.id, made.prompt, made.seconds, made.created_at],
    );
  },

  async a_failed_video_is_an_answer_with_its_error() {
    const video = await client.videos.retrieve(world.failed);
    same([video.status, video.error.code], ['failed', 'engine_error']);
    holds(video.error.message, video);
  },

  async a_list_goes_on_by_itself() {
    const made = [];
    for (let number = 0; number < 5; number += 1) made.push((await make(`listed ${number}`)).id);
    const newest = (await allOf(client.videos.list({ limit: 2 }))).map((each) => each.id);
    same(newest.slice(0, 5), made.toReversed());
    same(newest.length, new Set(newest).size);
    const oldest = await allOf(client.videos.list({ limit: 3, order: 'asc' }));
    same(oldest.map((each) => each.id), newest.toReversed());
    const page = await client.videos.list({ limit: 2, after: made[2] });
    same(page.data.map((each) => each.id), [made[1], made[0]]);
    same([page.has_more, page.hasNextPage()], [true, true]);
  },

  async a_deleted_video_is_gone() {
    const video = await ready((await make('to go', SMALL)).id);
    const gone = await client.videos.delete(video.id);
    same([gone.id, gone.object, gone.deleted], [video.id, 'video.deleted', true]);
    await refused(OpenAI.NotFoundError, () => client.videos.retrieve(video.id));
    await refused(OpenAI.NotFoundError, () => client.videos.delete(video.id));
    const left = (await allOf(client.videos.list())).map((each) => each.id);
    holds(!left.includes(video.id));
  },

  async a_waiting_video_is_stopped_by_deleting_it() {
    const video = await make('not after all');
    same((await client.videos.delete(video.id)).deleted, true);
    return { cancelled: video.job };
  },

  async the_video_is_downloaded() {
    const answer = await contentOf();
    const content = await bytesOf(answer);
    same(content.subarray(4, 8).toString(), 'ftyp');
    same(answer.headers.get('content-length'), String(content.length));
    same(answer.headers.get('content-type'), 'video/mp4');
    holds(content.equals(await bytesOf(await contentOf({ variant: 'video' }))));
  },

  async its_thumbnail_is_downloaded() {
    const answer = await contentOf({ variant: 'thumbnail' });
    same(answer.headers.get('content-type'), 'image/webp');
    same((await bytesOf(answer)).subarray(0, 4).toString(), 'RIFF');
  },

  async its_sprite_sheet_is_downloaded() {
    const sheet = await bytesOf(await contentOf({ variant: 'spritesheet' }));
    same(sheet.subarray(0, 4).toString(), 'RIFF');
    holds(!sheet.equals(await bytesOf(await contentOf({ variant: 'thumbnail' }))));
  },

  async the_video_is_streamed() {
    const parts = [];
    for await (const part of (await contentOf()).body) parts.push(part);
    const hash = (content) => createHash('sha256').update(content).digest('hex');
    same(hash(Buffer.concat(parts)), hash(await bytesOf(await contentOf())));
  },

  async a_part_of_the_video_is_downloaded() {
    const whole = await bytesOf(await contentOf());
    const answer = await contentOf({}, { headers: { Range: 'bytes=100-199' } });
    same(answer.status, 206);
    same(answer.headers.get('content-range'), `bytes 100-199/${whole.length}`);
    holds((await bytesOf(answer)).equals(whole.subarray(100, 200)));
  },

  async what_is_not_made_yet_has_no_content() {
    const video = await make('not yet');
    const code = 'video_not_ready';
    await refused(OpenAI.NotFoundError, () => client.videos.downloadContent(video.id), { code });
    await refused(OpenAI.NotFoundError, () => client.videos.downloadContent(world.failed));
  },

  async a_variant_that_there_is_not_is_a_bad_request() {
    const param = 'variant';
    await refused(OpenAI.BadRequestError, () => contentOf({ variant: 'hologram' }), { param });
  },

  async what_awaits_its_review_is_withheld_where_the_programme_says_so() {
    const strict = aClient({ key: world.strict.token });
    const video = await strict.videos.retrieve(world.strict.pending);
    same([video.status, video.review.state], ['completed', 'pending']);
    const code = 'content_pending_review';
    const deed = () => strict.videos.downloadContent(video.id);
    await refused(OpenAI.PermissionDeniedError, deed, { code });
  },

  async what_was_declined_is_withheld_with_its_reason() {
    const strict = aClient({ key: world.strict.token });
    const video = await strict.videos.retrieve(world.strict.declined);
    same([video.review.state, video.review.reason], ['rejected', world.strict.reason]);
    const code = 'content_rejected';
    const deed = () => strict.videos.downloadContent(video.id);
    const error = await refused(OpenAI.PermissionDeniedError, deed, { code });
    holds(error.message.includes(world.strict.reason), error.message);
  },

  async a_video_begins_with_a_picture_that_is_sent_along() {
    const streamed = { ...WAITS, input_reference: createReadStream(world.picture) };
    const video = await make('from a picture', streamed);
    same(video.recipe.conditions.length, 1);
    same(video.recipe.conditions[0].frame, 0);
    const file = await toFile(readFileSync(world.picture), 'boat.png', { type: 'image/png' });
    const again = await make('from bytes', { ...WAITS, input_reference: file });
    same(again.recipe.conditions[0].reference, video.recipe.conditions[0].reference);
  },

  async a_video_begins_with_a_file_that_was_sent_before() {
    const sent = { file: createReadStream(world.picture), purpose: 'vision' };
    const { id: file_id } = await client.files.create(sent);
    const video = await make('from a file', { ...WAITS, input_reference: { file_id } });
    same(video.recipe.conditions.length, 1);
  },

  async a_video_begins_with_a_picture_that_is_written_out() {
    const image_url = `data:image/png;base64,${readFileSync(world.picture).toString('base64')}`;
    const video = await make('from data', { ...WAITS, input_reference: { image_url } });
    same(video.recipe.conditions.length, 1);
  },

  async nothing_is_fetched_from_an_address() {
    const input_reference = { image_url: 'http://127.0.0.1:9/boat.png' };
    await refused(OpenAI.BadRequestError, () => make('fetch', { ...WAITS, input_reference }));
  },

  async a_remix_has_another_prompt_and_the_same_recipe() {
    const source = await finished();
    const remix = await client.videos.remix(source.id, { prompt: 'the same at noon' });
    same([remix.remixed_from_video_id, remix.prompt], [source.id, 'the same at noon']);
    same([remix.model, remix.size, remix.seconds], [source.model, source.size, source.seconds]);
    same(remix.recipe.seed, source.recipe.seed);
  },

  async an_edit_is_refused_where_no_model_can() {
    const { id } = await finished();
    const code = 'unsupported_by_model';
    for (const video of [{ id }, createReadStream(world.clip)]) {
      const deed = () => client.videos.edit({ prompt: 'in blue', video });
      await refused(OpenAI.BadRequestError, deed, { code });
    }
  },

  async an_extension_says_the_length_of_the_whole() {
    const source = await finished();
    const wish = { prompt: 'and on it goes', seconds: '4', video: { id: source.id } };
    const longer = await client.videos.extend(wish);
    holds(Number(longer.seconds) > 4, longer);
    const whole = await ready(longer.id);
    same([whole.status, whole.seconds], ['completed', longer.seconds]);
    const content = await bytesOf(await client.videos.downloadContent(whole.id));
    same(content.subarray(4, 8).toString(), 'ftyp');
  },

  async a_character_is_refused_where_no_model_can() {
    const deed = () =>
      client.videos.createCharacter({ name: 'Ada', video: createReadStream(world.clip) });
    const code = 'unsupported_by_model';
    await refused(OpenAI.BadRequestError, deed, { code });
    await refused(OpenAI.BadRequestError, () => client.videos.getCharacter('char_nobody'), { code });
  },

  async models_are_listed_and_read() {
    const models = (await allOf(client.models.list())).map((model) => model.id);
    holds(models.includes('still') && models.includes('later'), models);
    const model = await client.models.retrieve('still');
    same([model.id, model.object], ['still', 'model']);
    holds(Number.isInteger(model.created) && model.owned_by, model);
    await refused(OpenAI.NotFoundError, () => client.models.retrieve('sora-2'));
  },

  async a_file_is_sent_read_listed_and_removed() {
    const picture = world.own_picture;
    const file = await client.files.create({ file: createReadStream(picture), purpose: 'vision' });
    holds(file.id.startsWith('file_'), file);
    same([file.object, file.bytes], ['file', statSync(picture).size]);
    same([file.filename, file.purpose], [basename(picture), 'vision']);
    same((await client.files.retrieve(file.id)).id, file.id);
    const all = (await allOf(client.files.list())).map((each) => each.id);
    holds(all.includes(file.id), all);
    const gone = await client.files.delete(file.id);
    same([gone.id, gone.deleted], [file.id, true]);
    await refused(OpenAI.NotFoundError, () => client.files.retrieve(file.id));
  },

  async a_wrong_key_is_an_authentication_error() {
    for (const key of ['sk-nobody', world.revoked]) {
      const deed = () => aClient({ key }).videos.list();
      const type = 'authentication_error';
      const error = await refused(OpenAI.AuthenticationError, deed, { type });
      holds(error.requestID, error);
    }
  },

  async a_key_without_the_scope_is_a_permission_error() {
    const reader = aClient({ key: world.reader });
    await reader.videos.list();
    const deed = () => reader.videos.create({ prompt: 'no', ...WAITS });
    await refused(OpenAI.PermissionDeniedError, deed, { type: 'permission_error' });
  },

  async what_is_not_there_and_what_is_not_yours_are_not_found() {
    const said = [];
    for (const video of [`video_${'0'.repeat(26)}`, 'video_nobody', world.strangers]) {
      const type = 'invalid_request_error';
      const deed = () => client.videos.retrieve(video);
      said.push((await refused(OpenAI.NotFoundError, deed, { type })).error);
    }
    same(said[0], said[1]);
    same(said[0], said[2]);
  },

  async whatever_is_wrong_with_it_is_a_bad_request() {
    for (const [wish, param] of BAD) {
      const said = { type: 'invalid_request_error', param };
      const error = await refused(OpenAI.BadRequestError, () => client.videos.create(wish), said);
      holds(error.code, error);
    }
    const param = 'limit';
    await refused(OpenAI.BadRequestError, () => client.videos.list({ limit: 0 }), { param });
  },

  async a_budget_that_is_used_up_is_a_rate_limit_and_not_tried_again() {
    const poor = aClient({ key: world.poor, isHarmed: true });
    const line = fault('none');
    const deed = () => poor.videos.create({ prompt: 'dear', ...CLIP }, { headers: line });
    const error = await refused(OpenAI.RateLimitError, deed, { type: 'rate_limit_error' });
    same(error.headers.get('x-should-retry'), 'false');
    holds(Number(error.headers.get('retry-after')) > 0);
    same((await passed(line)).length, 1);
  },

  async a_house_that_is_not_ready_is_a_server_error() {
    const deed = () =>
      aClient({ maxRetries: 0 }).videos.create({ prompt: '?', ...SMALL, model: 'absent' });
    const said = { status: 503, type: 'server_error' };
    holds((await refused(OpenAI.InternalServerError, deed, said)).requestID);
  },

  async a_fault_of_the_server_is_a_server_error() {
    const harmed = aClient({ isHarmed: true, maxRetries: 0 });
    const deed = () => harmed.videos.list({}, { headers: fault('refuse') });
    await refused(OpenAI.InternalServerError, deed);
  },

  async a_line_that_breaks_is_a_connection_error() {
    const harmed = aClient({ isHarmed: true, maxRetries: 0 });
    const deed = () => harmed.videos.list({}, { headers: fault('lose') });
    await refused(OpenAI.APIConnectionError, deed);
    const nobody = new OpenAI({ baseURL: 'http://127.0.0.1:9/v1', apiKey: 'x', maxRetries: 0 });
    await refused(OpenAI.APIConnectionError, () => nobody.videos.list());
  },

  async an_answer_that_takes_too_long_is_a_timeout() {
    const harmed = aClient({ isHarmed: true, maxRetries: 0, timeout: 500 });
    const deed = () => harmed.videos.list({}, { headers: fault('hold') });
    await refused(OpenAI.APIConnectionTimeoutError, deed);
  },

  async every_answer_has_the_id_of_its_request() {
    holds((await make('named'))._request_id);
    const { response, request_id } = await client.videos.list().withResponse();
    same(request_id, response.headers.get('x-request-id'));
    const error = await refused(OpenAI.NotFoundError, () => client.videos.retrieve('video_nobody'));
    same(error.requestID, error.headers.get('x-request-id'));
  },

  an_order_that_never_arrived_is_made_by_the_next_try: () => triedAgain('refuse', { times: 2 }),

  an_order_whose_answer_was_lost_is_not_made_twice: () => triedAgain('lose', { times: 2 }),

  an_order_whose_answer_became_an_error_is_not_made_twice: () => triedAgain('spoil', { times: 2 }),

  async an_order_with_a_file_is_not_made_twice() {
    const input_reference = await toFile(readFileSync(world.picture), 'boat.png');
    return triedAgain('lose', { body: { input_reference } });
  },

  an_order_with_extensions_is_not_made_twice: () =>
    triedAgain('lose', { body: { extensions: JSON.stringify({ tier: 'standard' }) } }),

  async a_remix_whose_answer_was_lost_is_not_made_twice() {
    const source = await finished();
    const prompt = `remixed ${randomUUID()}`;
    const headers = fault('lose');
    const harmed = aClient({ isHarmed: true });
    const remix = await harmed.videos.remix(source.id, { prompt }, { headers });
    same((await passed(headers)).length, 2);
    same(remix.remixed_from_video_id, source.id);
    return { prompt, job: remix.job };
  },

  async a_key_of_ones_own_keeps_an_order_single() {
    const prompt = `keyed ${randomUUID()}`;
    const headers = { 'Idempotency-Key': randomUUID() };
    const one = await make(prompt, WAITS, { headers });
    same((await make(prompt, WAITS, { headers })).id, one.id);
    await refused(OpenAI.BadRequestError, () => make('another', WAITS, { headers }));
    return { prompt, job: one.job };
  },

  async the_same_order_twice_is_two_videos() {
    const prompt = `twice ${randomUUID()}`;
    holds((await make(prompt)).id !== (await make(prompt)).id);
    return { prompt, jobs: 2 };
  },

  async a_deletion_whose_answer_was_lost_ends_well() {
    const video = await make('lost deletion');
    const harmed = aClient({ isHarmed: true });
    try {
      same((await harmed.videos.delete(video.id, { headers: fault('lose') })).deleted, true);
    } catch (error) {
      if (!(error instanceof OpenAI.NotFoundError)) throw error;
    }
    await refused(OpenAI.NotFoundError, () => client.videos.retrieve(video.id));
  },

  async a_delivery_is_unwrapped_and_a_false_one_refused() {
    const path = `unwrapped-${randomUUID()}`;
    const body = { name: 'unwrapped', url: `${world.receiver}/${path}`, event_types: SEEN };
    const { signing_secret: secret } = await client.post('/webhook_endpoints', { body });
    const video = await ready((await make('told', SMALL)).id);
    const came = await received(path, 'video.completed', video.id);
    const event = await client.webhooks.unwrap(came.body, came.headers, secret);
    same([event.type, event.data.id], ['video.completed', video.id]);
    holds(event.id.startsWith('evt_'), event);
    const old = { ...came.headers, 'webhook-timestamp': String(Math.trunc(Date.now() / 1000) - 301) };
    for (const [text, headers, key] of [
      [came.body.replace(video.id, world.failed), came.headers, secret],
      [came.body, old, secret],
      [came.body, came.headers, 'whsec_AAAA'],
    ]) {
      const deed = () => client.webhooks.unwrap(text, headers, key);
      await refused(OpenAI.InvalidWebhookSignatureError, deed);
    }
  },
};

for (const [check, deed] of Object.entries(CHECKS)) {
  const told = { check, ok: false, facts: {} };
  try {
    told.facts = (await deed()) ?? {};
    told.ok = true;
  } catch (error) {
    told.said = String(error.stack ?? error).slice(-3000);
  }
  console.log(JSON.stringify(told));
}
