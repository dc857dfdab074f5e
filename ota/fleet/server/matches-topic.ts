/** Whether a topic matches a filter with `+` and `#` (MQTT 5 section 4.7.1); of `$share/<group>/…` the filter within. */
export const matchesTopic = (filter: string, topic: string): boolean => {
	const levels = topic.split('/');
	const wanted = (
		filter.startsWith('$share/') ? filter.slice(filter.indexOf('/', '$share/'.length) + 1) : filter
	).split('/');
	for (const [index, level] of wanted.entries()) {
		if (level === '#') {
			return true;
		}
		if (index >= levels.length || (level !== '+' && level !== levels[index])) {
			return false;
		}
	}
	return wanted.length === levels.length;
};
