/** Aborts at the first Ctrl-C or SIGTERM; the second one ends the process as if nobody listened. */
export const stopSignal = (): AbortSignal => {
	const controller = new AbortController();
	for (const name of ['SIGINT', 'SIGTERM'] as const) {
		process.once(name, () => controller.abort(new DOMException(`stopped by ${name}`, 'AbortError')));
	}
	return controller.signal;
};
