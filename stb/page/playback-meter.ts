/** Below this a wait is the decoder's breath and not something that a viewer sees. */
const stallMsMin = 100;
/** At the very end browsers wait for data that nobody announced. */
const endMarginSeconds = 0.5;
/** A change of position larger than this is a jump that somebody wanted. */
const nudgeSecondsMax = 0.6;

export type PlaybackTimes = {
	readonly startupMs: number | undefined;
	readonly stalls: number;
	readonly stalledMs: number;
	readonly stalling: boolean;
};

/** Measures one playback from the press of the button: when the first frame came, and when the picture stood still. */
export class PlaybackMeter {
	readonly #video: HTMLVideoElement;
	readonly #onChange: () => void;
	readonly #pressedMs = performance.now();
	readonly #controller = new AbortController();
	#startupMs: number | undefined;
	#stalls = 0;
	#stalledMs = 0;
	#waitingSinceMs: number | undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#lastSeconds = 0;
	#seeking = false;

	constructor(video: HTMLVideoElement, onChange: () => void) {
		this.#video = video;
		this.#onChange = onChange;
	}

	start(): void {
		const {signal} = this.#controller;
		const video = this.#video;
		const started = (): void => this.#started();
		video.addEventListener('timeupdate', () => video.currentTime > 0 && !video.paused && started(), {signal});
		if ('requestVideoFrameCallback' in video) {
			video.requestVideoFrameCallback(started);
		}
		video.addEventListener('waiting', () => this.#waiting(), {signal});
		video.addEventListener('seeking', () => this.#sought(), {signal});
		for (const name of ['playing', 'canplay', 'timeupdate', 'pause', 'ended']) {
			video.addEventListener(name, () => this.#moved(), {signal});
		}
	}

	stop(): void {
		this.#finish();
		this.#controller.abort();
	}

	times(): PlaybackTimes {
		const waitedMs = this.#waitedMs();
		const stalling = waitedMs >= stallMsMin;
		return {
			startupMs: this.#startupMs,
			stalls: this.#stalls + (stalling ? 1 : 0),
			stalledMs: this.#stalledMs + (stalling ? waitedMs : 0),
			stalling,
		};
	}

	#started(): void {
		if (this.#startupMs === undefined && !this.#controller.signal.aborted) {
			this.#startupMs = performance.now() - this.#pressedMs;
			this.#onChange();
		}
	}

	#waiting(): void {
		const video = this.#video;
		const atEnd = Number.isFinite(video.duration) && video.duration - video.currentTime < endMarginSeconds;
		if (this.#startupMs === undefined || this.#seeking || video.paused || video.ended || atEnd) {
			return;
		}
		this.#waitingSinceMs ??= performance.now();
		clearTimeout(this.#timer);
		this.#timer = setTimeout(this.#onChange, stallMsMin);
	}

	/** A jump is the viewer's wish; a nudge over a hole is hls.js at work on the same stall. */
	#sought(): void {
		if (Math.abs(this.#video.currentTime - this.#lastSeconds) > nudgeSecondsMax) {
			this.#finish();
			this.#seeking = true;
		}
	}

	/** Only with media to go on is a stall over: time updates also come while the picture stands still. */
	#moved(): void {
		const video = this.#video;
		this.#lastSeconds = video.currentTime;
		if (video.paused || video.ended || (video.readyState >= video.HAVE_FUTURE_DATA && !video.seeking)) {
			this.#seeking = false;
			this.#finish();
		}
	}

	#waitedMs(): number {
		return this.#waitingSinceMs === undefined ? 0 : performance.now() - this.#waitingSinceMs;
	}

	#finish(): void {
		const waitedMs = this.#waitedMs();
		clearTimeout(this.#timer);
		this.#waitingSinceMs = undefined;
		if (waitedMs >= stallMsMin) {
			this.#stalls += 1;
			this.#stalledMs += waitedMs;
			this.#onChange();
		}
	}
}
