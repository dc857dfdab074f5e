/** Date, time, fraction `:nFm` (n of m parts of a second) and zone of an MPEG-7 time point (ISO/IEC 15938-5). */
const pattern =
	/^(?<date>\d{4}-\d{2}-\d{2})(?:T(?<hour>\d{2})(?::(?<minute>\d{2})(?::(?<second>\d{2})(?::(?<part>\d{1,9}))?)?)?(?:F(?<parts>\d{1,9}))?)?(?<zone>[+-]\d{2}:\d{2}|Z)?$/u;

/** Unix ms; no zone means UTC, and a bare `Z`, which the format forbids, is read all the same. Undefined when broken. */
export const parseTimePoint = (text: string): number | undefined => {
	const groups = pattern.exec(text)?.groups;
	if (groups === undefined) {
		return undefined;
	}
	const {date, hour = '00', minute = '00', second = '00', part, parts, zone = 'Z'} = groups;
	const wholeMs = Date.parse(`${date}T${hour}:${minute}:${second}${zone}`);
	if (Number.isNaN(wholeMs)) {
		return undefined;
	}
	const fraction = part !== undefined && parts !== undefined && Number(parts) > 0 ? Number(part) / Number(parts) : 0;
	return wholeMs + (fraction < 1 ? Math.floor(fraction * 1000) : 0);
};
