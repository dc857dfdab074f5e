import type {ErrorData, default as Hls, HlsConfig, LoaderResponse, LoadPolicy, RetryConfig} from 'hls.js';
import type {PlayerErrorCode} from './player-message.ts';

/** What plays one address in a video element, until it is stopped. */
export type Engine = {
	readonly level: () => {readonly heightPixels?: number; readonly bitrateBps?: number};
	readonly liveLatencyMs: () => number | undefined;
	readonly stop: () => void;
};

export type EngineOptions = {
	readonly video: HTMLVideoElement;
	readonly path: string;
	readonly onFatal: (code: PlayerErrorCode) => void;
	/** A load failed and is tried again. */
	readonly onRetry: () => void;
};

/**
 * A segment that is not there now may come with the satellite's next packet or from a pop-node that is back, so 404 and
 * 5xx are worth asking again for, which hls.js alone would not do.
 */
const shouldRetry = (
	config: RetryConfig | null | undefined,
	retryCount: number,
	_isTimeout: boolean,
	response: LoaderResponse | undefined,
	retry: boolean,
): boolean => {
	const status = response?.code ?? 0;
	return retryCount < (config?.maxNumRetry ?? 0) && (retry || status === 0 || status === 404 || status >= 500);
};

const policy = (retries: number): LoadPolicy => ({
	default: {
		maxTimeToFirstByteMs: 15_000,
		maxLoadTimeMs: 60_000,
		timeoutRetry: {maxNumRetry: 4, retryDelayMs: 0, maxRetryDelayMs: 0},
		errorRetry: {maxNumRetry: retries, retryDelayMs: 400, maxRetryDelayMs: 2500, backoff: 'linear', shouldRetry},
	},
});

/** The box stands in the same home: its network is fast, and what is cached costs nobody anything. */
const homeNetworkBps = 25_000_000;

const configuration: Partial<HlsConfig> = {
	enableWorker: false,
	startFragPrefetch: true,
	testBandwidth: false,
	abrEwmaDefaultEstimate: homeNetworkBps,
	capLevelToPlayerSize: true,
	maxBufferLength: 30,
	backBufferLength: 60,
	// Segments are about two seconds: six behind live is calm, sixteen too far.
	liveSyncDurationCount: 3,
	liveMaxLatencyDurationCount: 8,
	maxLiveSyncPlaybackRate: 1.05,
	manifestLoadPolicy: policy(3),
	playlistLoadPolicy: policy(8),
	fragLoadPolicy: policy(12),
};

const mediaRecoveriesMax = 2;
const networkRecoveriesMax = 40;
const networkRecoveryMs = 1500;

const codeOf = (data: ErrorData): PlayerErrorCode => {
	if (data.type === 'networkError') {
		return data.response?.code === 404 ? 'STB_PAGE_NOT_THERE' : 'STB_PAGE_UNREACHABLE';
	}
	return data.details === 'manifestIncompatibleCodecsError' || data.details === 'bufferAddCodecError'
		? 'STB_PAGE_UNSUPPORTED'
		: 'STB_PAGE_UNPLAYABLE';
};

/** Once something was on the screen it is worth waiting for more; before that the viewer is told and may try again. */
const recoverErrors = (Player: typeof Hls, hls: Hls, {video, onFatal, onRetry}: EngineOptions): (() => void) => {
	let mediaRecoveries = 0;
	let networkRecoveries = 0;
	let timer: ReturnType<typeof setTimeout> | undefined;
	hls.on(Player.Events.ERROR, (_event, data) => {
		if (!data.fatal) {
			if (data.type === 'networkError') {
				onRetry();
			}
			return;
		}
		if (data.type === 'mediaError' && mediaRecoveries < mediaRecoveriesMax) {
			mediaRecoveries += 1;
			hls.recoverMediaError();
			return;
		}
		const started = video.currentTime > 0 || video.buffered.length > 0;
		if (data.type === 'networkError' && started && networkRecoveries < networkRecoveriesMax) {
			networkRecoveries += 1;
			onRetry();
			clearTimeout(timer);
			timer = setTimeout(() => hls.startLoad(), networkRecoveryMs);
			return;
		}
		onFatal(codeOf(data));
	});
	return () => clearTimeout(timer);
};

const startHls = (Player: typeof Hls, options: EngineOptions): Engine => {
	const hls = new Player(configuration);
	const stopRecovering = recoverErrors(Player, hls, options);
	hls.loadSource(options.path);
	hls.attachMedia(options.video);
	return {
		level: () => {
			const level = hls.levels[hls.currentLevel];
			return level === undefined ? {} : {heightPixels: level.height, bitrateBps: level.bitrate};
		},
		liveLatencyMs: () => (hls.latency > 0 ? hls.latency * 1000 : undefined),
		stop: () => {
			stopRecovering();
			hls.destroy();
		},
	};
};

/** Safari on telephones has no Media Source, and plays HLS by itself. */
const startNative = ({video, path, onFatal}: EngineOptions): Engine => {
	const controller = new AbortController();
	video.addEventListener(
		'error',
		() => {
			const unreachable = video.error?.code === MediaError.MEDIA_ERR_NETWORK;
			onFatal(unreachable ? 'STB_PAGE_UNREACHABLE' : 'STB_PAGE_UNPLAYABLE');
		},
		{signal: controller.signal},
	);
	video.src = path;
	return {
		level: () => ({heightPixels: video.videoHeight}),
		liveLatencyMs: () => undefined,
		stop: () => {
			controller.abort();
			video.removeAttribute('src');
			video.load();
		},
	};
};

/** Loaded on first use, and ahead of it when the page has nothing else to do. */
export const loadPlayer = async (): Promise<typeof Hls> => (await import('hls.js')).default;

/** Starts playing with what this browser has; undefined when it has nothing. */
export const startEngine = async (options: EngineOptions): Promise<Engine | undefined> => {
	const Player = await loadPlayer();
	if (Player.isSupported()) {
		return startHls(Player, options);
	}
	return options.video.canPlayType('application/vnd.apple.mpegurl') === '' ? undefined : startNative(options);
};
