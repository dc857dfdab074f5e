import type {Clock} from '#appliance/time/clock.ts';
import type {Catalogue} from '#headend/catalogue/catalogue.ts';
import type {CatalogueEntry} from '#headend/catalogue/catalogue-entry.ts';
import {livePathPrefix} from '#headend/catalogue/catalogue-path.ts';
import {headendError} from '#headend/error-code.ts';
import {channelIdSchema, type IngestConfig} from '#headend/ingest/ingest-config-schema.ts';
import {renewedExpiryMs} from '#headend/ingest/live-terms.ts';

/** The bit rate is told over this. */
const rateWindowMs = 10_000;
/** How often a channel's standing objects are looked at for renewal; they live for days. */
const renewIntervalMs = 3_600_000;

type Channel = {
	readonly id: string;
	readonly paths: Set<string>;
	segments: number;
	lastMs: number;
	lastSegmentMs: number;
	renewedMs: number;
	recent: {readonly atMs: number; readonly bytes: number}[];
};

export type ChannelState = {
	readonly channel: string;
	readonly lastSegmentMs: number;
	readonly segments: number;
	readonly bitrateBps: number;
};

/** The live channels that push, what each keeps in the catalogue, and when one has gone. */
export class ChannelRegistry {
	readonly #catalogue: Catalogue;
	readonly #clock: Clock;
	readonly #config: IngestConfig;
	readonly #channels = new Map<string, Channel>();

	constructor(options: {readonly catalogue: Catalogue; readonly clock: Clock; readonly config: IngestConfig}) {
		this.#catalogue = options.catalogue;
		this.#clock = options.clock;
		this.#config = options.config;
		this.#adopt();
	}

	/** The channels of an earlier run have one window to push again; then they go like any other that fell silent. */
	#adopt(): void {
		const live = [...this.#catalogue.entries()].filter(({origin}) => origin === 'live');
		for (const {path} of live) {
			this.#channelOf(channelIdOf(path)).paths.add(path);
		}
	}

	#channelOf(id: string): Channel {
		const nowMs = this.#clock.nowMs();
		const channel: Channel = this.#channels.get(id) ?? {
			id,
			paths: new Set(),
			segments: 0,
			lastMs: nowMs,
			lastSegmentMs: 0,
			renewedMs: nowMs,
			recent: [],
		};
		this.#channels.set(id, channel);
		return channel;
	}

	/** Refuses before the body is read. @throws CodedError HEADEND_CHANNEL_INVALID | HEADEND_CHANNELS_TOO_MANY | … */
	admit(channelId: string, path: string): void {
		if (!channelIdSchema.safeParse(channelId).success) {
			throw headendError('HEADEND_CHANNEL_INVALID', {
				status: 400,
				message: 'A channel is named by 1 to 64 of a-z, 0-9 and -.',
				details: {channel: channelId.slice(0, 100)},
			});
		}
		const channel = this.#channels.get(channelId);
		if (channel === undefined && this.#channels.size >= this.#config.channelsMax) {
			throw headendError('HEADEND_CHANNELS_TOO_MANY', {
				status: 503,
				message: 'No more channels are taken; stop one or raise ingest.channelsMax.',
				details: {channelsMax: this.#config.channelsMax},
			});
		}
		if (channel !== undefined && channel.paths.size >= this.#config.channelObjectsMax && !channel.paths.has(path)) {
			throw headendError('HEADEND_CHANNEL_OBJECTS_TOO_MANY', {
				status: 507,
				message: 'This channel keeps too many objects; raise ingest.channelObjectsMax or shorten ingest.windowMs.',
				details: {channel: channelId},
			});
		}
	}

	note(channelId: string, entry: CatalogueEntry): void {
		const nowMs = this.#clock.nowMs();
		const channel = this.#channelOf(channelId);
		channel.paths.add(entry.path);
		channel.lastMs = nowMs;
		if (entry.form === undefined) {
			channel.segments += 1;
			channel.lastSegmentMs = nowMs;
			channel.recent = [
				...channel.recent.filter(({atMs}) => atMs > nowMs - rateWindowMs),
				{atMs: nowMs, bytes: entry.sizeBytes},
			];
		}
	}

	/** An object left the catalogue. */
	forget(path: string): void {
		this.#channels.get(channelIdOf(path))?.paths.delete(path);
	}

	/** A channel that pushes no more goes off the air with everything it has; what stands of the others is kept alive. */
	expire(): void {
		const nowMs = this.#clock.nowMs();
		for (const channel of this.#channels.values()) {
			if (channel.lastMs + this.#config.windowMs <= nowMs) {
				this.#channels.delete(channel.id);
				for (const path of channel.paths) {
					this.#catalogue.remove(path);
				}
			} else if (channel.renewedMs + renewIntervalMs <= nowMs) {
				channel.renewedMs = nowMs;
				this.#renew(channel, nowMs);
			}
		}
	}

	#renew(channel: Channel, nowMs: number): void {
		for (const path of channel.paths) {
			const entry = this.#catalogue.get(path);
			const expiresMs = entry === undefined ? undefined : renewedExpiryMs(entry, nowMs);
			if (entry !== undefined && expiresMs !== undefined) {
				this.#catalogue.put({...entry, expiresMs});
			}
		}
	}

	state(): ChannelState[] {
		const fromMs = this.#clock.nowMs() - rateWindowMs;
		return [...this.#channels.values()].map(({id, segments, lastSegmentMs, recent}) => ({
			channel: id,
			segments,
			lastSegmentMs,
			bitrateBps:
				recent.reduce((total, {atMs, bytes}) => total + (atMs > fromMs ? bytes : 0), 0) / (rateWindowMs / 8000),
		}));
	}
}

const channelIdOf = (path: string): string => path.slice(livePathPrefix.length).split('/')[0] ?? '';
