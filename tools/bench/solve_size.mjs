/** The ridge regression that heddle and its peers are timed with. */
export const ridgeSize = { samples: 10_000, features: 2000, outputs: 10 };
