type Detector = {readonly detect: (source: HTMLVideoElement) => Promise<readonly {readonly rawValue: string}[]>};
type DetectorClass = new (options: {readonly formats: readonly string[]}) => Detector;

const scanTimeoutMs = 60_000;
const lookIntervalMs = 200;

const detectorClass = (): DetectorClass | undefined =>
	(globalThis as {readonly BarcodeDetector?: DetectorClass}).BarcodeDetector;

/** Browsers give a page their camera only where they trust its way to the box, and few of them read codes. */
export const canScan = (): boolean => detectorClass() !== undefined && navigator.mediaDevices !== undefined;

/** The text of the first QR code that the camera sees; rejects when the signal aborts or nothing was seen in a minute. */
export const scanCode = async (video: HTMLVideoElement, options: {readonly signal: AbortSignal}): Promise<string> => {
	const Detects = detectorClass();
	if (Detects === undefined) {
		throw new Error('This browser reads no codes.');
	}
	const signal = AbortSignal.any([options.signal, AbortSignal.timeout(scanTimeoutMs)]);
	const stream = await navigator.mediaDevices.getUserMedia({video: {facingMode: 'environment'}});
	try {
		video.srcObject = stream;
		await video.play();
		const detector = new Detects({formats: ['qr_code']});
		for (;;) {
			signal.throwIfAborted();
			const [found] = await detector.detect(video);
			if (found !== undefined) {
				return found.rawValue;
			}
			await new Promise((resolve) => setTimeout(resolve, lookIntervalMs));
		}
	} finally {
		video.srcObject = null;
		for (const track of stream.getTracks()) {
			track.stop();
		}
	}
};
