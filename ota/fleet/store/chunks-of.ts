/** SQLite takes 32,766 parameters in one statement, PostgreSQL 65,535. */
const parametersMax = 30_000;

/** Rows in portions that fit into one statement, whose parameters are what their columns hold. */
export const chunksOf = <Row>(rows: readonly Row[], columnCount = 1): readonly (readonly Row[])[] => {
	const size = Math.max(1, Math.min(1000, Math.floor(parametersMax / columnCount)));
	return Array.from({length: Math.ceil(rows.length / size)}, (_, index) =>
		rows.slice(index * size, (index + 1) * size),
	);
};
