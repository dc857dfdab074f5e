import {createHash} from 'node:crypto';

/** One rung of the ladder. All rungs have exactly 16:9 square pixels; DASH refuses a set of mixed shapes. */
export type Rung = {readonly width: number; readonly height: number; readonly bitrateBps: number};

export type MediaRecipe = {
	readonly title: {readonly durationMs: number; readonly rungs: readonly Rung[]};
	readonly loop: {readonly durationMs: number; readonly rungs: readonly Rung[]};
	readonly segmentMs: number;
	readonly framesPerSecond: number;
};

/** Small enough for two cores that decode in software beside three boxes. */
export const sampleRecipe: MediaRecipe = {
	title: {
		durationMs: 60_000,
		rungs: [
			{width: 384, height: 216, bitrateBps: 300_000},
			{width: 640, height: 360, bitrateBps: 700_000},
			{width: 896, height: 504, bitrateBps: 1_400_000},
		],
	},
	// 16 s hold a whole number of AAC frames (750) and of segments, so the loop has no seam.
	loop: {
		durationMs: 16_000,
		rungs: [
			{width: 384, height: 216, bitrateBps: 300_000},
			{width: 640, height: 360, bitrateBps: 700_000},
		],
	},
	segmentMs: 2000,
	framesPerSecond: 25,
};

const audioBitrateBps = 96_000;
const audioRateHz = 48_000;

const videoArgs = (recipe: MediaRecipe, rungs: readonly Rung[]): readonly string[] => {
	const keyInterval = String((recipe.segmentMs / 1000) * recipe.framesPerSecond);
	const shared = ['-c:v', 'libx264', '-preset', 'ultrafast', '-profile:v', 'baseline', '-pix_fmt', 'yuv420p'];
	const aligned = ['-g', keyInterval, '-keyint_min', keyInterval, '-sc_threshold', '0', '-bf', '0'];
	const rates = rungs.flatMap(({bitrateBps}, index) => [
		`-b:v:${index}`,
		String(bitrateBps),
		`-maxrate:v:${index}`,
		String(Math.round(bitrateBps * 1.2)),
		`-bufsize:v:${index}`,
		String(bitrateBps * 2),
	]);
	return [...shared, ...aligned, ...rates];
};

const sourceArgs = (recipe: MediaRecipe, options: {picture: string; hertz: number; rungs: readonly Rung[]}) => {
	const {picture, hertz, rungs} = options;
	const {width, height} = rungs.at(-1) ?? {width: 640, height: 360};
	const branches = rungs.map((rung, index) => `[s${index}]scale=${rung.width}:${rung.height},setsar=1[v${index}]`);
	const split = `split=${rungs.length}${rungs.map((_, index) => `[s${index}]`).join('')}`;
	const [source, filter = 'null'] = picture.split('|');
	return [
		...['-f', 'lavfi', '-i', `${source}=size=${width}x${height}:rate=${recipe.framesPerSecond}`],
		...['-f', 'lavfi', '-i', `sine=frequency=${hertz}:beep_factor=4:sample_rate=${audioRateHz}`],
		...['-filter_complex', `[0:v]${filter},${split};${branches.join(';')}`],
		...rungs.flatMap((_, index) => ['-map', `[v${index}]`]),
		...['-map', '1:a', '-c:a', 'aac', '-b:a', String(audioBitrateBps), '-ac', '2'],
	];
};

/** Segments, an HLS and a DASH manifest of the title, in the current folder. */
export const titleArgs = (recipe: MediaRecipe): readonly string[] => [
	...sourceArgs(recipe, {picture: 'testsrc2', hertz: 440, rungs: recipe.title.rungs}),
	...videoArgs(recipe, recipe.title.rungs),
	...['-t', String(recipe.title.durationMs / 1000)],
	...packagingArgs(recipe),
	...['-use_timeline', '0', 'manifest.mpd'],
];

/** One file that holds every rung of the live channel, ready to be pushed again and again without encoding. */
export const loopArgs = (recipe: MediaRecipe): readonly string[] => [
	...sourceArgs(recipe, {picture: 'smptehdbars|hue=H=2*PI*t/8', hertz: 330, rungs: recipe.loop.rungs}),
	...videoArgs(recipe, recipe.loop.rungs),
	...['-t', String(recipe.loop.durationMs / 1000), 'loop.mp4'],
];

export const posterArgs = (): readonly string[] => [
	...['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=1', '-frames:v', '1', '-update', '1', 'poster.jpg'],
];

export const packagingArgs = (recipe: MediaRecipe): readonly string[] => [
	...['-f', 'dash', '-seg_duration', String(recipe.segmentMs / 1000), '-use_template', '1'],
	...['-dash_segment_type', 'mp4', '-adaptation_sets', 'id=0,streams=v id=1,streams=a'],
	...['-hls_playlist', '1', '-hls_master_name', 'master.m3u8'],
];

/**
 * The live channel's encoder: the loop is pushed in real time. The run's own number in the segment names keeps a restart
 * from sending new bytes under old names, which every cache on the way would take for the old ones.
 */
export const livePushArgs = (
	recipe: MediaRecipe,
	options: {readonly loopPath: string; readonly url: string; readonly run: string},
): readonly string[] => [
	...['-hide_banner', '-nostdin', '-loglevel', 'error', '-re', '-stream_loop', '-1', '-i', options.loopPath],
	...['-map', '0', '-c', 'copy'],
	...packagingArgs(recipe),
	...['-use_timeline', '1', '-window_size', '6', '-extra_window_size', '4', '-remove_at_exit', '0'],
	...['-init_seg_name', `init-${options.run}-$RepresentationID$.$ext$`],
	...['-media_seg_name', `chunk-${options.run}-$RepresentationID$-$Number%05d$.$ext$`],
	...['-method', 'PUT', '-ignore_io_errors', '1', options.url],
];

/** The title's service.json, from which the headend takes its name and poster. */
export const serviceText = (recipe: MediaRecipe): string => {
	const service = {
		name: 'Test card in motion',
		description: 'A sample that this machine encoded itself: three picture sizes, one tone, two-second segments.',
		image: 'poster.jpg',
		durationMs: recipe.title.durationMs,
	};
	return `${JSON.stringify(service, null, '\t')}\n`;
};

/** Names the folder in which an encoded sample is kept; any change of the recipe or of how it is encoded makes another. */
export const recipeKey = (recipe: MediaRecipe): string =>
	createHash('sha256')
		.update(JSON.stringify([titleArgs(recipe), loopArgs(recipe), posterArgs(), serviceText(recipe)]))
		.digest('hex')
		.slice(0, 16);
