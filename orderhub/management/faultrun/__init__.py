"""Days of trade at a simulated Amazon that fails in every known way, and the proof that no update is lost or doubled."""
